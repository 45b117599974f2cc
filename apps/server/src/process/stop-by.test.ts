import { RecordingLogger } from "@sluice/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stopBy } from "./stop-by.js";

beforeEach(() => {
  vi.useFakeTimers();
  // What follows an exit is not the matter here.
  vi.spyOn(process, "exit").mockImplementation((() => {}) as unknown as typeof process.exit);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Begins to stop, and gives the timer that it has set. */
function begin(exitCode: number, work: Promise<void>) {
  const timers = vi.spyOn(globalThis, "setTimeout");
  const logger = new RecordingLogger();
  const stopped = stopBy(1_000, exitCode, work, logger);
  const timer = timers.mock.results[0]?.value as NodeJS.Timeout;
  return { stopped, timer, logger };
}

describe("stopBy", () => {
  it("ends a process that hangs, at the deadline", async () => {
    const { timer, logger } = begin(0, new Promise(() => {}));
    expect(timer.hasRef()).toBe(true);
    await vi.advanceTimersByTimeAsync(999);
    expect(process.exit).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(vi.mocked(process.exit).mock.calls).toEqual([[0]]);
    expect(logger.lines).toHaveLength(1);
  });

  it("lets a process end that has nothing left to do, and ends one that has something", async () => {
    const { stopped, timer } = begin(0, Promise.resolve());
    await stopped;
    expect(timer.hasRef()).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.mocked(process.exit).mock.calls).toEqual([[0]]);
  });

  it("rejects as the work does, and does not end as if all were well", async () => {
    const { stopped, timer } = begin(0, Promise.reject(new Error("not closed")));
    await expect(stopped).rejects.toThrow("not closed");
    expect(timer.hasRef()).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.mocked(process.exit).mock.calls).toEqual([[1]]);
  });
});
