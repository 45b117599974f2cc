/** What came out of an application, for a test to take one by one. */
export class Outbox<Item> {
  readonly #items: Item[] = [];
  readonly #takers: ((item: Item) => void)[] = [];
  #failure: (() => Error) | undefined;
  readonly #failed: ((error: Error) => void)[] = [];

  put(item: Item): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  /** Nothing more will come: whoever takes from now on gets the error that `failure` makes. */
  end(failure: () => Error): void {
    this.#failure ??= failure;
    this.#takers.length = 0;
    for (const reject of this.#failed.splice(0)) reject(failure());
  }

  /**
   * The next item. Rejects when there will be none, or none came within `timeout` milliseconds of real time; without a
   * timeout it waits.
   */
  take(expected: string, timeout?: number): Promise<Item> {
    const [item] = this.#items.splice(0, 1);
    if (item !== undefined) return Promise.resolve(item);
    if (this.#failure !== undefined) return Promise.reject(this.#failure());
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#remove(this.#takers, taker);
        this.#remove(this.#failed, failed);
        act();
      };
      const taker = (taken: Item) => settle(() => resolve(taken));
      const failed = (error: Error) => settle(() => reject(error));
      const tooLate = () => failed(new Error(`expected ${expected}, got nothing within ${timeout} ms`));
      const timer = timeout === undefined ? undefined : setTimeout(tooLate, timeout);
      this.#takers.push(taker);
      this.#failed.push(failed);
    });
  }

  /** True if nothing comes within `ms` milliseconds of real time. */
  async staysEmpty(ms: number): Promise<boolean> {
    if (this.#items.length === 0) await new Promise((resolve) => setTimeout(resolve, ms));
    return this.#items.length === 0;
  }

  #remove<Entry>(list: Entry[], entry: Entry): void {
    const index = list.indexOf(entry);
    if (index !== -1) list.splice(index, 1);
  }
}
