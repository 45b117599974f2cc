/** Stops what `after` started; harmless when it has already run. */
export type Cancel = () => void;

/** The time, and work at a later time. Passed in, so that tests own it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Runs `task` once, `ms` milliseconds from now, or after the longest time a timer knows. A pending task must not keep
   * the process alive.
   */
  after(ms: number, task: () => void): Cancel;
}

/** The longest that a timer of the web platform waits: 24.8 days, in milliseconds. Above it, it would not wait at all. */
export const longestTimer: number = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer: unknown = setTimeout(task, Math.min(ms, longestTimer));
    if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function") {
      timer.unref();
    }
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};
