/** How many pauses are ended early at once, and the milliseconds until the next: 2,000 clients that leave per second. */
const batch = { size: 100, every: 50 } as const;

/** Pauses that can all be ended early. */
export class Pauses {
  readonly #ends = new Set<() => void>();
  #over = false;

  /** True once they are ended early: none lasts any longer then. */
  get over(): boolean {
    return this.#over;
  }

  /** Resolves after `ms` milliseconds, or earlier. */
  for(ms: number): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#ends.add(end);
    });
  }

  /** A few at a time, so that whoever waits does not go on all at once. */
  async endAll(): Promise<void> {
    this.#over = true;
    let ended = 0;
    for (const end of [...this.#ends]) {
      end();
      if (++ended % batch.size === 0) await new Promise((resolve) => setTimeout(resolve, batch.every));
    }
  }
}
