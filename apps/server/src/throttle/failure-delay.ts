import type { Counter } from "./counter.js";
import type { Hurdle } from "./hurdle.js";

export interface FailureDelayOptions {
  readonly failures: Counter;
  /** Has a key while attempts have to wait. */
  readonly pauses: Counter;
  /** The failure after which the next attempt has to wait, for a second; for twice as long after each one more. */
  readonly from: number;
  /** The longest wait, in seconds. */
  readonly longest: number;
}

/** Makes attempts wait after failures, by key, the longer the more of them there were. A success makes them forgotten. */
export class FailureDelay {
  readonly #options: FailureDelayOptions;

  constructor(options: FailureDelayOptions) {
    this.#options = options;
  }

  of(key: string): Hurdle {
    const { failures, pauses, from, longest } = this.#options;
    let pausing = false;
    const goOn = async (): Promise<void> => {
      if (pausing) await pauses.delete(key);
    };
    return {
      async take() {
        // What is refused anyway costs a look, and is not written down.
        const before = await pauses.get(key);
        if (before !== null && before.msBeforeNext > 0) return before.msBeforeNext;
        const { consumedPoints: count } = await failures.penalty(key);
        if (count < from) return 0;
        // Whoever begins the pause is the one to try.
        const customDuration = Math.min(longest, 2 ** (count - from));
        const { consumedPoints, msBeforeNext } = await pauses.penalty(key, 1, { customDuration });
        pausing = consumedPoints === 1;
        if (pausing) return 0;
        await failures.reward(key);
        return Math.max(1, msBeforeNext);
      },
      giveBack: () => Promise.all([failures.reward(key), goOn()]),
      clear: () => Promise.all([failures.delete(key), goOn()]),
    };
  }
}
