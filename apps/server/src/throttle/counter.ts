import { type RateLimiterAbstract, RateLimiterMemory } from "rate-limiter-flexible";

/** Counts by key: `penalty` adds one, `reward` takes one away. A count ends a set time after its beginning. Never rejects. */
export type Counter = Pick<RateLimiterAbstract, "penalty" | "reward" | "get" | "set" | "delete">;

/** Opens the counter of a name, whose counts end after `duration` seconds. */
export type OpenCounter = (name: string, duration: number) => Counter;

/** Keys that one counter holds in memory: some 20 MB of them. */
const mostKeys = 50_000;

/** Counts in the memory of this process. */
export function inMemory(keyPrefix: string, duration: number): RateLimiterMemory {
  return new BoundedMemory({ keyPrefix, duration, points: 0 });
}

/** Forgets the key that was counted longest ago where there are too many: made-up names must not fill the memory. */
class BoundedMemory extends RateLimiterMemory {
  readonly #keys = new Set<string>();

  override penalty(
    key: string,
    points?: number,
    options?: { customDuration?: number },
  ): ReturnType<Counter["penalty"]> {
    this.#remember(key);
    return super.penalty(key, points, options);
  }

  override set(key: string, points: number, duration: number): ReturnType<Counter["set"]> {
    this.#remember(key);
    return super.set(key, points, duration);
  }

  #remember(key: string): void {
    // A set keeps its order.
    this.#keys.delete(key);
    this.#keys.add(key);
    const [oldest = key] = this.#keys;
    if (this.#keys.size <= mostKeys) return;
    this.#keys.delete(oldest);
    void this.delete(oldest);
  }
}
