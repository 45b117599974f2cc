import type { Counter } from "./counter.js";
import type { Hurdle } from "./hurdle.js";

/** Lets a number of failures happen by key in a time that the counter knows. A success says nothing of other attempts. */
export class FailureLimit {
  readonly #failures: Counter;
  readonly #most: number;

  constructor(failures: Counter, most: number) {
    this.#failures = failures;
    this.#most = most;
  }

  of(key: string): Hurdle {
    const giveBack = () => this.#failures.reward(key);
    return { take: () => this.#take(key), giveBack, clear: giveBack };
  }

  async #take(key: string): Promise<number> {
    // What is refused anyway costs a look, and is not written down.
    const before = await this.#failures.get(key);
    if (before !== null && before.consumedPoints >= this.#most && before.msBeforeNext > 0) return before.msBeforeNext;
    const { consumedPoints, msBeforeNext } = await this.#failures.penalty(key);
    if (consumedPoints <= this.#most) return 0;
    await this.#failures.reward(key);
    return Math.max(1, msBeforeNext);
  }
}
