import { describe, expect, test } from "vitest";
import { Turns } from "./turns.js";

/** A handler that ends when the test says so. */
class Gate {
  readonly log: string[] = [];
  readonly #open: (() => void)[] = [];
  readonly handle = async (event: string): Promise<void> => {
    this.log.push(`begin ${event}`);
    await new Promise<void>((resolve) => this.#open.push(resolve));
    this.log.push(`end ${event}`);
  };
  async pass(): Promise<void> {
    this.#open.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function rethrow(error: unknown): never {
  throw error;
}

describe("Turns", () => {
  test("returns nothing for what was handled at once", () => {
    const got: number[] = [];
    const sink = new Turns().source(undefined, (event: number) => void got.push(event), rethrow);
    expect([sink(1), sink(2)]).toEqual([undefined, undefined]);
    expect(got).toEqual([1, 2]);
  });

  test("lets a source wait while another is busy", async () => {
    const turns = new Turns();
    const gate = new Gate();
    const [socket, layer] = [
      turns.source(undefined, gate.handle, rethrow),
      turns.source(undefined, gate.handle, rethrow),
    ];
    const handled = Promise.all([socket("s1"), layer("l1")]);
    expect(gate.log).toEqual(["begin s1"]);
    await gate.pass();
    expect(gate.log).toEqual(["begin s1", "end s1", "begin l1"]);
    await gate.pass();
    await handled;
    expect(gate.log).toEqual(["begin s1", "end s1", "begin l1", "end l1"]);
  });

  test("lets a source wait for a handler that has not returned, and handles its event right after", () => {
    const turns = new Turns();
    const log: string[] = [];
    const layer = turns.source(undefined, (event: string) => void log.push(event), rethrow);
    const socket = turns.source(
      undefined,
      (event: string) => {
        log.push(`begin ${event}`);
        expect(layer("from within")).toBeInstanceOf(Promise);
        log.push(`end ${event}`);
      },
      rethrow,
    );
    expect(socket("s1")).toBeUndefined();
    expect(log).toEqual(["begin s1", "end s1", "from within"]);
  });

  test("gives busy sources their turns by turns", async () => {
    const turns = new Turns();
    const gate = new Gate();
    // Each source has its next event ready as soon as the one before is handled.
    const feed = async (name: string): Promise<void> => {
      const sink = turns.source(undefined, gate.handle, rethrow);
      for (const number of [1, 2, 3]) await sink(`${name}${number}`);
    };
    const fed = Promise.all([feed("s"), feed("l")]);
    for (let turn = 0; turn < 6; turn++) await gate.pass();
    await fed;
    const begun = gate.log.filter((line) => line.startsWith("begin")).map((line) => line.slice(6));
    expect(begun).toEqual(["s1", "l1", "s2", "l2", "s3", "l3"]);
  });

  test.each([
    [
      "throw",
      () => {
        throw new Error("bug");
      },
    ],
    ["rejection", () => Promise.reject(new Error("bug"))],
  ])("ends for all with a %s, which goes to its own source", async (_name, fail) => {
    const turns = new Turns();
    const got: string[] = [];
    const socket = turns.source(undefined, fail, rethrow);
    const layer = turns.source(undefined, (event: string) => void got.push(event), rethrow);
    await expect((async () => socket("s1"))()).rejects.toThrow("bug");
    expect(layer("l1")).toBeUndefined();
    expect(got).toEqual([]);
  });

  test("lets nobody hang who waits when it ends", async () => {
    const turns = new Turns();
    const gate = new Gate();
    const failing = turns.source(
      undefined,
      async (event: string) => {
        await gate.handle(event);
        throw new Error("bug");
      },
      rethrow,
    );
    const failed = expect(failing("s1")).rejects.toThrow("bug");
    const waiting = turns.source(undefined, gate.handle, rethrow)("l1");
    await gate.pass();
    await failed;
    await expect(waiting).resolves.toBeUndefined();
    expect(gate.log).toEqual(["begin s1", "end s1"]);
  });

  test("tells a source that waited what its handler failed with", async () => {
    const turns = new Turns();
    const gate = new Gate();
    void turns.source(undefined, gate.handle, rethrow)("s1");
    const waiting = turns.source(
      undefined,
      () => {
        throw new Error("bug");
      },
      rethrow,
    )("l1");
    const failed = expect(waiting).rejects.toThrow("bug");
    await gate.pass();
    await failed;
  });

  test.each([
    [
      "throw",
      () => {
        throw new Error("bug");
      },
    ],
    ["rejection", () => Promise.reject(new Error("bug"))],
  ])("goes on after a %s that is recovered from, within the same turn", async (_name, fail) => {
    const turns = new Turns();
    const gate = new Gate();
    const failures: unknown[] = [];
    const failing = turns.source(undefined, fail, (error) => {
      failures.push(error);
      return gate.handle("recovery");
    });
    const failed = failing("s1");
    await Promise.resolve();
    const waiting = turns.source(undefined, gate.handle, rethrow)("l1");
    await Promise.resolve();
    expect(gate.log).toEqual(["begin recovery"]);
    await gate.pass();
    await failed;
    expect(gate.log).toEqual(["begin recovery", "end recovery", "begin l1"]);
    await gate.pass();
    await waiting;
    expect(failures).toEqual([new Error("bug")]);
  });

  test("costs no promise to recover at once from what is thrown", () => {
    const turns = new Turns();
    const got: string[] = [];
    const failing = turns.source(
      undefined,
      () => {
        throw new Error("bug");
      },
      (error) => void got.push(String(error)),
    );
    expect(failing("s1")).toBeUndefined();
    expect(turns.source(undefined, (event: string) => void got.push(event), rethrow)("l1")).toBeUndefined();
    expect(got).toEqual(["Error: bug", "l1"]);
  });

  test("ends for all with a recovery that fails", async () => {
    const turns = new Turns();
    const failing = turns.source(
      undefined,
      () => Promise.reject(new Error("bug")),
      async () => {
        throw new Error("another");
      },
    );
    await expect(failing("s1")).rejects.toThrow("another");
    const got: string[] = [];
    expect(turns.source(undefined, (event: string) => void got.push(event), rethrow)("l1")).toBeUndefined();
    expect(got).toEqual([]);
  });
});
