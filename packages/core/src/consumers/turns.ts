import type { MaybePromise } from "../app.js";

/** What a source does with its events; `this` is whom the source was made for. */
type Handle<Owner, Event> = (this: Owner, event: Event) => MaybePromise<void>;

/** What it does with a failure, in the same turn. Throws for one that ends it all. */
type Recover<Owner> = (this: Owner, error: unknown) => MaybePromise<void>;

/**
 * Lets one event at a time through, from several sources, each in its turn: while a source is busy every other gets one
 * event in before the next of its own. The first failure that nobody recovers from ends it for all of them.
 */
export class Turns {
  #waiting: (() => void)[] | undefined;
  #busy = false;
  #over = false;

  /** A sink for one source. Costs no promise while nobody else is busy and `handle` returns none. */
  source<Owner, Event>(
    owner: Owner,
    handle: Handle<Owner, Event>,
    recover: Recover<Owner>,
  ): (event: Event) => MaybePromise<void> {
    return (event) => {
      if (!this.#busy || this.#over) return this.#take(owner, handle, recover, event);
      return new Promise((resolve, reject) => {
        this.#waiting ??= [];
        this.#waiting.push(() => {
          try {
            resolve(this.#take(owner, handle, recover, event));
          } catch (error) {
            reject(error);
          }
        });
      });
    };
  }

  #take<Owner, Event>(
    owner: Owner,
    handle: Handle<Owner, Event>,
    recover: Recover<Owner>,
    event: Event,
  ): MaybePromise<void> {
    if (this.#over) return;
    this.#busy = true;
    let result: MaybePromise<void>;
    try {
      result = handle.call(owner, event);
    } catch (error) {
      return this.#failed(owner, recover, error);
    }
    if (!(result instanceof Promise)) return this.#next();
    return result.then(
      () => this.#next(),
      (error: unknown) => this.#failed(owner, recover, error),
    );
  }

  #failed<Owner>(owner: Owner, recover: Recover<Owner>, error: unknown): MaybePromise<void> {
    let recovered: MaybePromise<void>;
    try {
      recovered = recover.call(owner, error);
    } catch (fatal) {
      return this.#end(fatal);
    }
    if (!(recovered instanceof Promise)) return this.#next();
    return recovered.then(
      () => this.#next(),
      (fatal: unknown) => this.#end(fatal),
    );
  }

  #next(): void {
    this.#busy = false;
    this.#waiting?.shift()?.();
  }

  /** Events that wait for a turn are dropped, so that no source waits for ever. */
  #end(error: unknown): never {
    this.#over = true;
    for (const go of this.#waiting?.splice(0) ?? []) go();
    throw error;
  }
}
