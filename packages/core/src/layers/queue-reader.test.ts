import { describe, expect, test } from "vitest";
import { settled } from "../../test/fake-connections.js";
import type { LayerMessage } from "../ports/channel-layer.js";
import { QueueReader, type SharedQueue } from "./queue-reader.js";

/** A queue whose answers a test gives one by one. */
class AskedQueue implements SharedQueue {
  readonly asked: { resolve(message: LayerMessage | undefined): void; reject(error: Error): void }[] = [];
  readonly forgotten: QueueReader[] = [];
  questions = 0;

  take(): Promise<LayerMessage | undefined> {
    this.questions++;
    return new Promise((resolve, reject) => this.asked.push({ resolve, reject }));
  }

  forget(reader: QueueReader): void {
    this.forgotten.push(reader);
  }

  async answer(message?: LayerMessage): Promise<void> {
    this.asked.shift()?.resolve(message);
    await settled();
  }

  async fail(): Promise<void> {
    this.asked.shift()?.reject(new Error("the queue cannot be reached"));
    await settled();
  }
}

function open(): { readonly queue: AskedQueue; readonly reader: QueueReader; readonly got: LayerMessage[] } {
  const queue = new AskedQueue();
  return { queue, reader: new QueueReader("work", queue), got: [] };
}

const a = { type: "a" };
const b = { type: "b" };
const closed = { code: "layer_unavailable", message: 'the channel "work" is closed' };

describe("QueueReader", () => {
  test("asks only when somebody is ready for a message, and once at a time", async () => {
    const { queue, reader } = open();
    reader.wake();
    await settled();
    expect(queue.questions).toBe(0);
    const got = [reader.receive(), reader.receive()];
    reader.wake();
    await settled();
    expect(queue.questions).toBe(1);
    await queue.answer(a);
    expect(await got[0]).toBe(a);
    expect(queue.questions).toBe(2);
    await queue.answer(b);
    expect(await got[1]).toBe(b);
    expect(queue.questions).toBe(2);
  });

  test("asks again for a wake-up that came while it was asking", async () => {
    const { queue, reader } = open();
    const got = reader.receive();
    reader.wake();
    await queue.answer(undefined);
    expect(queue.questions).toBe(2);
    await queue.answer(undefined);
    expect(queue.questions).toBe(2);
    reader.wake();
    await queue.answer(a);
    expect(await got).toBe(a);
  });

  test("asks again for a wake-up that came while it was busy", async () => {
    const { queue, reader } = open();
    let release = (): void => {};
    void reader.pipe(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    await queue.answer(a);
    reader.wake();
    await settled();
    expect(queue.questions).toBe(1);
    release();
    await settled();
    expect(queue.questions).toBe(2);
  });

  test("outlives a queue that cannot be reached, and asks it again when it is woken", async () => {
    const { queue, reader } = open();
    const got = reader.receive();
    await queue.fail();
    expect(queue.questions).toBe(1);
    reader.wake();
    await queue.answer(a);
    expect(await got).toBe(a);
  });

  test("asks again when it was woken while the failure was on its way", async () => {
    const { queue, reader } = open();
    const got = reader.receive();
    reader.wake();
    await queue.fail();
    await queue.answer(a);
    expect(await got).toBe(a);
  });

  test("outlives a queue that throws", async () => {
    let down = true;
    const reader = new QueueReader("work", {
      take: () => {
        if (down) throw new Error("the queue cannot be reached");
        return a;
      },
      forget: () => {},
    });
    const got = reader.receive();
    await settled();
    down = false;
    reader.wake();
    expect(await got).toBe(a);
  });

  test("hands over what was being taken for it when it is closed, before close() resolves", async () => {
    const { queue, reader, got } = open();
    const piped = reader.pipe((message) => void got.push(message));
    const ended = reader.close();
    reader.wake();
    expect(await state(ended)).toBe("under way");
    await queue.answer(a);
    await ended;
    await piped;
    expect(got).toEqual([a]);
    expect(queue.questions).toBe(1);
    expect(queue.forgotten).toEqual([reader]);
  });

  test("gives what was being taken to the first who waits, and tells the others of the end", async () => {
    const { queue, reader } = open();
    const waiting = [reader.receive(), reader.receive()];
    const failed = expect(waiting[1]).rejects.toMatchObject(closed);
    const ended = reader.close();
    await queue.answer(a);
    expect(await waiting[0]).toBe(a);
    await failed;
    await ended;
  });

  test.each([["finds nothing"], ["fails"]])("is closed when the queue %s", async (how) => {
    const { queue, reader } = open();
    const failed = expect(reader.receive()).rejects.toMatchObject(closed);
    const ended = reader.close();
    await (how === "fails" ? queue.fail() : queue.answer(undefined));
    await ended;
    await failed;
    expect(queue.questions).toBe(1);
  });

  test("ends its pipe when what was taken at the end has been worked on, which close() does not wait for", async () => {
    const { queue, reader } = open();
    let release = (): void => {};
    const piped = reader.pipe(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    const ended = reader.close();
    await queue.answer(a);
    await ended;
    expect(await state(piped)).toBe("under way");
    release();
    await piped;
  });

  test("may be closed by its own sink", async () => {
    const { queue, reader, got } = open();
    const piped = reader.pipe(async (message) => {
      got.push(message);
      await reader.close();
    });
    await queue.answer(a);
    await piped;
    expect(got).toEqual([a]);
    expect(queue.questions).toBe(1);
  });

  test.each([
    ["throws", () => Promise.resolve()],
    ["rejects", () => Promise.reject(new Error("sink"))],
  ])("ends with what its sink %s, and is forgotten once", async (how, settle) => {
    const { queue, reader } = open();
    const failed = expect(
      reader.pipe(() => {
        if (how === "throws") throw new Error("sink");
        return settle();
      }),
    ).rejects.toThrow("sink");
    await queue.answer(a);
    await failed;
    reader.wake();
    await reader.close();
    expect(queue.questions).toBe(1);
    expect(queue.forgotten).toEqual([reader]);
    await expect(reader.receive()).rejects.toBeInstanceOf(TypeError);
  });

  test("is forgotten once if its sink fails after it was closed", async () => {
    const { queue, reader } = open();
    let fail = (): void => {};
    const failed = expect(
      reader.pipe(
        () =>
          new Promise<void>((_resolve, reject) => {
            fail = () => reject(new Error("sink"));
          }),
      ),
    ).rejects.toThrow("sink");
    await queue.answer(a);
    await reader.close();
    fail();
    await failed;
    expect(queue.forgotten).toEqual([reader]);
  });

  test("is read in one way", async () => {
    const { reader } = open();
    void reader.pipe(() => {});
    await expect(reader.receive()).rejects.toThrow("expected either receive() or pipe()");
    await expect(reader.pipe(() => {})).rejects.toThrow("expected one pipe()");
    const pulled = open().reader;
    void pulled.receive();
    await expect(pulled.pipe(() => {})).rejects.toThrow("no receive() beside it");
  });

  test("gives nothing when it has been closed", async () => {
    const { queue, reader } = open();
    await reader.close();
    await reader.close();
    await reader.pipe(() => {});
    await expect(reader.receive()).rejects.toMatchObject(closed);
    expect(queue.questions).toBe(0);
    expect(queue.forgotten).toEqual([reader]);
  });
});

async function state(work: Promise<unknown>): Promise<"settled" | "under way"> {
  let settledYet = false;
  const note = (): void => {
    settledYet = true;
  };
  work.then(note, note);
  await settled();
  return settledYet ? "settled" : "under way";
}
