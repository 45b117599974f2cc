import type { MaybePromise } from "../app.js";

/** What a source does with its events; `this` is whom the source was made for. */
type Handle<Owner, Event> = (this: Owner, event: Event) => MaybePromise<void>;

/**
 * Lets one event at a time through, from several sources, each in its turn: while a source is busy every other gets one
 * event in before the next of its own. The first failure ends it for all of them.
 */
export class Turns {
  #waiting: (() => void)[] | undefined;
  #busy = false;
  #over = false;

  /** A sink for one source. Costs no promise while nobody else is busy and `handle` returns none. */
  source<Owner, Event>(owner: Owner, handle: Handle<Owner, Event>): (event: Event) => MaybePromise<void> {
    return (event) => {
      if (!this.#busy || this.#over) return this.#take(owner, handle, event);
      return new Promise((resolve, reject) => {
        this.#waiting ??= [];
        this.#waiting.push(() => {
          try {
            resolve(this.#take(owner, handle, event));
          } catch (error) {
            reject(error);
          }
        });
      });
    };
  }

  #take<Owner, Event>(owner: Owner, handle: Handle<Owner, Event>, event: Event): MaybePromise<void> {
    if (this.#over) return;
    this.#busy = true;
    let result: MaybePromise<void>;
    try {
      result = handle.call(owner, event);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (result instanceof Promise) {
      return result.then(
        () => this.#next(),
        (error: unknown) => {
          this.#end();
          throw error;
        },
      );
    }
    this.#next();
  }

  #next(): void {
    this.#busy = false;
    this.#waiting?.shift()?.();
  }

  /** Events that wait for a turn are dropped, so that no source waits for ever. */
  #end(): void {
    this.#over = true;
    for (const go of this.#waiting?.splice(0) ?? []) go();
  }
}
