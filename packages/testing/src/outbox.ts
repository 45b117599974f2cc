import { failureAt } from "./failure-at.js";

/** What somebody waits for, in words for the error if it does not come. */
export interface Wait {
  /** As in `expected ${expected}, ...`. */
  readonly expected: string;
  /** Milliseconds of real time; for ever if left out. */
  readonly timeout?: number;
  /** What is known about the other side when the time is up. */
  readonly facts?: () => string;
}

interface Taker<Item> {
  take(item: Item): void;
  fail(came: string, cause?: unknown): void;
}

/** What came out of an application, for a test to take one by one. */
export class Outbox<Item> {
  readonly #items: Item[] = [];
  readonly #takers: Taker<Item>[] = [];
  #wake: (() => void) | undefined;
  #ended: { readonly reason: string; readonly cause: unknown } | undefined;

  put(item: Item): void {
    this.#wake?.();
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker.take(item);
  }

  /** Nothing more will come: whoever takes what is not there gets an error that says `reason`. */
  end(reason: string, cause?: unknown): void {
    this.#ended ??= { reason, cause };
    for (const taker of this.#takers.splice(0)) taker.fail(`but ${reason}`, cause);
  }

  /** The next item. Rejects when there will be none, or none came in time. */
  take({ expected, timeout, facts }: Wait): Promise<Item> {
    const at = new Error();
    const [item] = this.#items.splice(0, 1);
    if (item !== undefined) return Promise.resolve(item);
    if (this.#ended !== undefined) {
      const { reason, cause } = this.#ended;
      return Promise.reject(failureAt(at, `expected ${expected}, but ${reason}`, cause));
    }
    return new Promise((resolve, reject) => {
      const taker: Taker<Item> = {
        take: (taken) => {
          clearTimeout(timer);
          resolve(taken);
        },
        fail: (came, cause) => {
          clearTimeout(timer);
          reject(failureAt(at, `expected ${expected}, ${came}`, cause));
        },
      };
      const tooLate = (): void => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        const known = facts === undefined ? "" : `; ${facts()}`;
        taker.fail(`got nothing within ${timeout} ms${known}`);
      };
      const timer = timeout === undefined ? undefined : setTimeout(tooLate, timeout);
      this.#takers.push(taker);
    });
  }

  /** True if nothing comes within `ms` milliseconds of real time. */
  async staysEmpty(ms: number): Promise<boolean> {
    if (this.#items.length > 0) return false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
    return this.#items.length === 0;
  }
}
