import type { MaybePromise } from "../app.js";

/** What was found, by its key; what there is not is left out. */
export type Found<Value> = ReadonlyMap<string, Value>;

/** The keys of one turn, and what is being looked up for them: for each key the look-up that it is part of. */
interface Batch<Value> {
  readonly keys: Promise<string | undefined>[];
  readonly asked: Promise<ReadonlyMap<string, Promise<Found<Value>>>>;
}

/**
 * Looks up together what is asked for in one turn of the event loop: each key once, `limit` keys at most at a time. Every
 * look-up begins after all that is asked of it, does not wait for one before it, and fails alone.
 */
export class BatchedLookUps<Value> {
  readonly #findAll: (keys: readonly string[]) => Promise<Found<Value>>;
  readonly #limit: number;
  /** The batch of this turn, if there is one. */
  #batch: Batch<Value> | undefined;

  constructor(findAll: (keys: readonly string[]) => Promise<Found<Value>>, limit: number) {
    this.#findAll = findAll;
    this.#limit = limit;
  }

  /** Undefined if there is none. A key that takes time holds up those of its own turn only. */
  async find(key: MaybePromise<string>): Promise<Value | undefined> {
    this.#batch ??= this.#open();
    const { keys, asked } = this.#batch;
    const own = Promise.resolve(key);
    // Without one that cannot be had the others are looked up; it is its caller who hears of it.
    keys.push(own.catch(() => undefined));
    const [lookUps, known] = await Promise.all([asked, own]);
    return (await lookUps.get(known))?.get(known);
  }

  #open(): Batch<Value> {
    const keys: Promise<string | undefined>[] = [];
    return { keys, asked: this.#ask(keys) };
  }

  async #ask(keys: readonly Promise<string | undefined>[]): Promise<ReadonlyMap<string, Promise<Found<Value>>>> {
    await endOfTurn();
    this.#batch = undefined;
    const distinct = [...new Set(await Promise.all(keys))].filter((key) => key !== undefined);
    const lookUps = new Map<string, Promise<Found<Value>>>();
    for (let start = 0; start < distinct.length; start += this.#limit) {
      const some = distinct.slice(start, start + this.#limit);
      const found = this.#findAll(some);
      for (const key of some) lookUps.set(key, found);
    }
    return lookUps;
  }
}

/**
 * Resolves when what the event loop had at hand has been done. A microtask would come too early: it runs between two
 * connections that arrive at once. A timer, which is all that the web platform has, comes a millisecond late.
 */
function endOfTurn(): Promise<void> {
  const runtime: object = globalThis;
  return new Promise((resolve) => {
    if ("setImmediate" in runtime && typeof runtime.setImmediate === "function") runtime.setImmediate(resolve);
    else setTimeout(resolve);
  });
}
