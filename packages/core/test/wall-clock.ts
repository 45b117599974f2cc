import type { Cancel, Clock } from "../src/ports/clock.js";

/** A clock that is set by hand, also back, while its timers are run by hand as well. */
export class WallClock implements Clock {
  time = 1_000_000_000;
  /** What each timer was asked to wait, in milliseconds. */
  readonly waits: number[] = [];
  readonly #tasks: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  after(ms: number, task: () => void): Cancel {
    this.waits.push(ms);
    this.#tasks.push(task);
    return () => {};
  }

  /** Runs the oldest timer that has not run. False if there is none. */
  runNext(): boolean {
    const task = this.#tasks.shift();
    task?.();
    return task !== undefined;
  }
}
