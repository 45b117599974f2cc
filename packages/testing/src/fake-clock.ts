import type { Cancel, Clock } from "@sluice/core";

interface Task {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: number;
  readonly #tasks = new Set<Task>();

  /** `now` in milliseconds since 1970. */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Cancel {
    const task = { at: this.#now + ms, run };
    this.#tasks.add(task);
    return () => this.#tasks.delete(task);
  }

  /** How many tasks wait for their time. */
  get pending(): number {
    return this.#tasks.size;
  }

  /** Moves the time forward, running what falls due in its order and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let task = this.#earliest(until); task !== undefined; task = this.#earliest(until)) {
      this.#tasks.delete(task);
      this.#now = task.at;
      task.run();
      await settled();
    }
    this.#now = until;
  }

  #earliest(until: number): Task | undefined {
    let earliest: Task | undefined;
    for (const task of this.#tasks) {
      if (task.at <= until && (earliest === undefined || task.at < earliest.at)) earliest = task;
    }
    return earliest;
  }
}

/** Resolves when the promises that are ready to settle have done so: they go before the next turn of the event loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
