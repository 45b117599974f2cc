import { FakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import { WallClock } from "../../test/wall-clock.js";
import { drain } from "./drain.js";

/** When each of `count` sessions was shut down, after so many milliseconds. */
async function times(count: number, ms: number): Promise<number[]> {
  const clock = new FakeClock(0);
  const seen: number[] = [];
  const sessions = Array.from({ length: count }, () => ({ shutdown: () => seen.push(clock.now()) }));
  drain(sessions, ms, clock);
  await clock.advance(ms);
  expect(clock.pending).toBe(0);
  return seen;
}

describe("drain", () => {
  it.each([
    [0, 1_000, []],
    [1, 1_000, [0]],
    [3, 0, [0, 0, 0]],
    [2, 1_000, [0, 500]],
    [5, 200, [0, 50, 50, 100, 150]],
    [6, 100, [0, 0, 0, 50, 50, 50]],
  ])("closes %d over %d ms at %j", async (count, ms, expected) => {
    expect(await times(count, ms)).toEqual(expected);
  });

  it("closes ten thousand in steps of 50 ms, as many at each", async () => {
    const seen = await times(10_000, 5_000);
    const perStep = new Map<number, number>();
    for (const at of seen) perStep.set(at, (perStep.get(at) ?? 0) + 1);
    expect([...perStep.keys()]).toEqual(Array.from({ length: 100 }, (_, index) => index * 50));
    expect(new Set(perStep.values())).toEqual(new Set([100]));
  });

  it("goes no further when it is stopped", async () => {
    const clock = new FakeClock(0);
    const seen: number[] = [];
    const sessions = Array.from({ length: 4 }, () => ({ shutdown: () => seen.push(clock.now()) }));
    const stop = drain(sessions, 400, clock);
    await clock.advance(100);
    stop();
    await clock.advance(1_000);
    expect(seen).toEqual([0, 100]);
    expect(clock.pending).toBe(0);
  });

  it("has each batch at its time, whenever the one before it came, and catches up", async () => {
    const clock = new FakeClock(0);
    const seen: number[] = [];
    const sessions = Array.from({ length: 10 }, () => ({ shutdown: () => seen.push(clock.now()) }));
    // The first timer is 170 ms late, the others come in time.
    let late = 170;
    drain(sessions, 500, {
      now: () => clock.now(),
      after: (ms, task) => {
        const cancel = clock.after(ms + late, task);
        late = 0;
        return cancel;
      },
    });
    await clock.advance(500);
    expect(seen).toEqual([0, 220, 220, 220, 220, 250, 300, 350, 400, 450]);
  });

  it("waits no longer than a step where the clock is set back", () => {
    const clock = new WallClock();
    const seen: number[] = [];
    const sessions = Array.from({ length: 4 }, (_, index) => ({ shutdown: () => seen.push(index) }));
    drain(sessions, 200, clock);
    clock.time = 0;
    while (clock.runNext());
    expect(clock.waits).toEqual([50, 50, 50]);
    expect(seen).toEqual([0, 1, 2, 3]);
  });
});
