import { FakeClock } from "@sluice/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { InMemoryChannelLayer } from "./in-memory.js";
import { LocalChannels } from "./local-channels.js";
import { MemoryQueue } from "./memory-queue.js";
import { QueueReader } from "./queue-reader.js";

const a = { type: "a" };
const b = { type: "b" };

describe("MemoryQueue", () => {
  let clock: FakeClock;
  let abandoned: number;
  let queue: MemoryQueue;
  beforeEach(() => {
    clock = new FakeClock();
    abandoned = 0;
    queue = new MemoryQueue(new LocalChannels({ clock, expiry: 1_000 }), 2, () => {
      abandoned++;
    });
  });

  test("holds what it has room for, and gives the oldest first", () => {
    expect([queue.put(a), queue.put(b), queue.put(a)]).toEqual([true, true, false]);
    expect([queue.take(), queue.take(), queue.take()]).toEqual([a, b, undefined]);
  });

  test("drops what has waited for as long as it may, and has room again", async () => {
    queue.put(a);
    queue.put(a);
    await clock.advance(999);
    expect(queue.put(b)).toBe(false);
    await clock.advance(1);
    expect(queue.put(b)).toBe(true);
    expect(queue.take()).toBe(b);
  });

  test("is abandoned when its last message has expired, though nobody has ever read it", async () => {
    queue.put(a);
    await clock.advance(500);
    queue.put(b);
    await clock.advance(999);
    expect(abandoned).toBe(0);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(abandoned).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test("is abandoned when its last message was taken, or when it was emptied", () => {
    queue.put(a);
    queue.take();
    expect(abandoned).toBe(1);
    queue.put(a);
    queue.empty();
    expect(abandoned).toBe(2);
    expect(clock.pending).toBe(0);
  });

  test("is not abandoned for as long as somebody reads it", async () => {
    const reader = new QueueReader("work", queue);
    queue.add(reader);
    queue.put(a);
    expect(queue.take()).toBe(a);
    queue.put(a);
    await clock.advance(1_000);
    expect(abandoned).toBe(0);
    await reader.close();
    expect(abandoned).toBe(1);
    expect(clock.pending).toBe(0);
  });
});

describe("named channels of an InMemoryChannelLayer", () => {
  test("leave no timer behind", async () => {
    const clock = new FakeClock();
    const layer = new InMemoryChannelLayer({ clock });
    await layer.send("work", a);
    await layer.send("other", a);
    const reader = await layer.openNamed("work");
    await reader.receive();
    await layer.close();
    expect(clock.pending).toBe(0);
  });

  test("lose nothing when a reader of the one before fails late", async () => {
    const layer = new InMemoryChannelLayer();
    const busy = await layer.openNamed("work");
    let fail = (): void => {};
    const begun = new Promise<void>((resolve) => {
      const piped = busy.pipe(() => {
        resolve();
        return new Promise<void>((_resolve, reject) => {
          fail = () => reject(new Error("sink"));
        });
      });
      piped.catch(() => {});
    });
    await layer.send("work", a);
    await begun;
    await busy.close();
    await layer.send("work", b);
    fail();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await (await layer.openNamed("work")).receive()).toEqual(b);
  });

  test("take capacities by pattern", async () => {
    const layer = new InMemoryChannelLayer({ channelCapacity: { "work.*": 1 } });
    await layer.send("work.a", a);
    await expect(layer.send("work.a", a)).rejects.toMatchObject({ code: "channel_full" });
  });
});
