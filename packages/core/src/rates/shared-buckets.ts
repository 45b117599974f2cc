import type { Cancel, Clock } from "../ports/clock.js";
import { type Rate, TokenBucket } from "./token-bucket.js";

interface Entry {
  readonly bucket: TokenBucket;
  holders: number;
  /** Set while nobody holds it. */
  forget: Cancel | undefined;
}

/** Token buckets by name, for several connections to count against. */
export class SharedBuckets {
  readonly #rate: Rate;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Those that are held, and those that are not full again yet. */
  get size(): number {
    return this.#entries.size;
  }

  hold(name: string): TokenBucket {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { bucket: new TokenBucket(this.#rate, this.#clock.now()), holders: 0, forget: undefined };
      this.#entries.set(name, entry);
    }
    entry.forget?.();
    entry.forget = undefined;
    entry.holders += 1;
    return entry.bucket;
  }

  /** Once for each `hold`. The bucket is kept until it is full: to come back with another connection gains nothing. */
  release(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.holders -= 1;
    if (entry.holders > 0) return;
    entry.forget = this.#clock.after(entry.bucket.untilFull(this.#clock.now()), () => this.#entries.delete(name));
  }
}
