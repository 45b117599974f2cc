import { afterEach, expect, it, vi } from "vitest";
import { systemClock } from "./clock.js";

afterEach(() => vi.useRealTimers());

it.each([2 ** 31, Number.POSITIVE_INFINITY])("%d milliseconds are a long time, not none", (ms) => {
  vi.useFakeTimers();
  const task = vi.fn();
  const cancel = systemClock.after(ms, task);
  vi.advanceTimersByTime(2 ** 31 - 2);
  expect(task).not.toHaveBeenCalled();
  cancel();
  expect(vi.getTimerCount()).toBe(0);
});
