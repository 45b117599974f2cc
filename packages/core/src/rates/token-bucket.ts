/** How much there may be: `burst` at once, and `perSecond` for as long as it goes on. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What one costs: in thousandths all sums are whole numbers, as time is milliseconds. */
const whole = 1_000;

/** Counts against a {@link Rate}: full at first, it is refilled as time goes by. Moments are milliseconds since 1970. */
export class TokenBucket {
  readonly #rate: Rate;
  #level: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#level = rate.burst * whole;
    this.#at = now;
  }

  /** False if there is nothing left to take. */
  take(now: number): boolean {
    this.#refill(now);
    if (this.#level < whole) return false;
    this.#level -= whole;
    return true;
  }

  /** Milliseconds until it is as full as a new one, if nothing more is taken. */
  untilFull(now: number): number {
    this.#refill(now);
    return Math.ceil((this.#rate.burst * whole - this.#level) / this.#rate.perSecond);
  }

  #refill(now: number): void {
    // A clock that was put back gives nothing, and takes nothing away.
    const elapsed = Math.max(0, now - this.#at);
    this.#level = Math.min(this.#rate.burst * whole, this.#level + elapsed * this.#rate.perSecond);
    this.#at = now;
  }
}
