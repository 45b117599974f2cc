import { describe, expect, it } from "vitest";
import { ClientDisconnected } from "../errors.js";
import { Inbox } from "./inbox.js";

const roomy = { maxEvents: 100, maxWeight: 1_000 };

/** A promise that a test settles when it wants to. */
function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe("Inbox, pushing", () => {
  it("delivers into an idle sink at once, without a turn of the event loop", () => {
    const inbox = new Inbox<number>(roomy);
    const seen: number[] = [];
    void inbox.pipe((event) => void seen.push(event));
    inbox.push(1);
    inbox.push(2);
    expect(seen).toEqual([1, 2]);
    expect(inbox.size).toBe(0);
  });

  it("hands out what waited before there was a sink, then what comes", () => {
    const inbox = new Inbox<number>(roomy);
    inbox.push(1);
    const seen: number[] = [];
    void inbox.pipe((event) => void seen.push(event));
    inbox.push(2);
    expect(seen).toEqual([1, 2]);
  });

  it("gives a sink that returned a promise nothing more until it has settled", async () => {
    const inbox = new Inbox<number>(roomy);
    const seen: number[] = [];
    const first = deferred();
    void inbox.pipe((event) => {
      seen.push(event);
      return event === 1 ? first.promise : undefined;
    });
    inbox.push(1);
    inbox.push(2);
    inbox.push(3);
    expect(seen).toEqual([1]);
    first.resolve();
    await first.promise;
    expect(seen).toEqual([1, 2, 3]);
  });

  it("lets what a synchronous sink causes wait for its turn", () => {
    const inbox = new Inbox<string>(roomy);
    const trace: string[] = [];
    void inbox.pipe((event) => {
      trace.push(`enter ${event}`);
      if (event === "outer") inbox.push("inner");
      trace.push(`leave ${event}`);
    });
    inbox.push("outer");
    expect(trace).toEqual(["enter outer", "leave outer", "enter inner", "leave inner"]);
  });

  it("drains a long queue without growing the stack", () => {
    const inbox = new Inbox<number>({ maxEvents: 1_000_000, maxWeight: 1 });
    for (let index = 0; index < 20_000; index++) inbox.push(index);
    let count = 0;
    void inbox.pipe(() => void count++);
    expect(count).toBe(20_000);
  });

  it("resolves the pipe after the last event was handled", async () => {
    const inbox = new Inbox<string>(roomy);
    const seen: string[] = [];
    const last = deferred();
    const piped = inbox.pipe((event) => {
      seen.push(event);
      return event === "bye" ? last.promise : undefined;
    });
    inbox.push("hello");
    inbox.end("bye");
    inbox.push("too late");
    let over = false;
    void piped.then(() => {
      over = true;
    });
    await Promise.resolve();
    expect(over).toBe(false);
    last.resolve();
    await piped;
    expect(seen).toEqual(["hello", "bye"]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("boom");
      },
    ],
    ["rejects", () => Promise.reject(new Error("boom"))],
  ])("rejects the pipe when the sink %s, and delivers no more", async (_, fail) => {
    const inbox = new Inbox<number>(roomy);
    const seen: number[] = [];
    const piped = inbox.pipe((event) => {
      seen.push(event);
      return fail();
    });
    inbox.push(1);
    inbox.push(2);
    await expect(piped).rejects.toThrow("boom");
    expect(seen).toEqual([1]);
    expect(inbox.size).toBe(0);
  });

  it("takes one sink only", async () => {
    const inbox = new Inbox<number>(roomy);
    void inbox.pipe(() => {});
    await expect(inbox.pipe(() => {})).rejects.toThrow("expected one receive.pipe() per connection");
  });
});

describe("Inbox, pulling", () => {
  it("hands out one event per pull, in order, whether it came before or after", async () => {
    const inbox = new Inbox<number>(roomy);
    inbox.push(1);
    expect(await inbox.pull()).toBe(1);
    const [second, third] = [inbox.pull(), inbox.pull()];
    inbox.push(2);
    inbox.push(3);
    expect(await Promise.all([second, third])).toEqual([2, 3]);
  });

  it("rejects once the last event has been handed out", async () => {
    const inbox = new Inbox<string>(roomy);
    const waiting = [inbox.pull(), inbox.pull()] as const;
    inbox.end("bye");
    expect(await waiting[0]).toBe("bye");
    await expect(waiting[1]).rejects.toThrow(ClientDisconnected);
    await expect(inbox.pull()).rejects.toThrow(ClientDisconnected);
  });

  it("takes falsy events for what they are", async () => {
    const inbox = new Inbox<number | undefined>(roomy);
    inbox.push(undefined);
    inbox.push(0);
    expect([await inbox.pull(), await inbox.pull()]).toEqual([undefined, 0]);
  });
});

describe("Inbox, bounds", () => {
  it.each([
    ["events", { maxEvents: 2, maxWeight: 1_000 }, 1],
    ["weight", { maxEvents: 1_000, maxWeight: 20 }, 10],
  ])("says when it is full of %s and when there is room again", async (_, bounds, weight) => {
    let room = 0;
    const inbox = new Inbox<number>(bounds, { resume: () => room++ });
    expect(inbox.push(1, weight)).toBe(true);
    expect(inbox.push(2, weight)).toBe(false);
    await inbox.pull();
    expect(room).toBe(1);
    await inbox.pull();
    expect(room).toBe(1);
    expect(inbox.push(3, weight)).toBe(true);
  });

  it("stays full until half of it is gone, though an event comes late", async () => {
    let room = 0;
    const inbox = new Inbox<number>({ maxEvents: 1_000, maxWeight: 20 }, { resume: () => room++ });
    inbox.push(1, 8);
    expect(inbox.push(2, 12)).toBe(false);
    await inbox.pull();
    expect(inbox.push(3, 1)).toBe(false);
    expect(room).toBe(0);
    await inbox.pull();
    expect(room).toBe(1);
  });

  it.each(["clear", "discard"] as const)("says that there is room again after %s", (drop) => {
    let room = 0;
    const inbox = new Inbox<number>({ maxEvents: 1, maxWeight: 10 }, { resume: () => room++ });
    inbox.push(1, 10);
    inbox[drop]();
    expect(room).toBe(1);
    inbox[drop]();
    expect(room).toBe(1);
  });

  it("forgets what waits when cleared, but not what comes", async () => {
    const inbox = new Inbox<number>({ maxEvents: 1, maxWeight: 10 });
    inbox.push(1, 10);
    inbox.clear();
    inbox.end(2);
    expect(await inbox.pull()).toBe(2);
  });

  it("takes nothing more once its reader has gone", () => {
    const inbox = new Inbox<number>({ maxEvents: 1, maxWeight: 10 });
    inbox.push(1, 10);
    inbox.discard();
    expect(inbox.push(2, 10)).toBe(true);
    inbox.end(3);
    expect(inbox.size).toBe(0);
  });
});
