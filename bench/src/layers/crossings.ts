import { rounded } from "../measure/percentile.js";

/** How long it took until messages went from each server to each other again, and to itself: milliseconds. */
export interface Resumption {
  readonly first: number;
  readonly last: number;
}

interface Crossing {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly arrival: number;
}

/** Which messages went from which server to which, from a moment on. */
export class Crossings {
  readonly #servers: number;
  readonly #noted: Crossing[] = [];
  readonly #latest = new Map<string, number>();
  #watching = false;

  constructor(servers: number) {
    this.#servers = servers;
  }

  watch(): void {
    this.#noted.length = 0;
    this.#latest.clear();
    this.#watching = true;
  }

  /** Notes a message, once for each server it comes to. */
  note(crossing: Crossing): void {
    if (!this.#watching) return;
    const pair = `${crossing.from} ${crossing.to}`;
    if (crossing.at <= (this.#latest.get(pair) ?? 0)) return;
    this.#latest.set(pair, crossing.at);
    this.#noted.push(crossing);
  }

  /** Of messages that were published after the moment `after`; undefined while some way is still closed. */
  resumption(after: number): Resumption | undefined {
    const arrivals = new Map<string, number>();
    for (const { from, to, at, arrival } of this.#noted) {
      const pair = `${from} ${to}`;
      if (at >= after && !arrivals.has(pair)) arrivals.set(pair, arrival - after);
    }
    if (arrivals.size < this.#servers ** 2) return undefined;
    this.#watching = false;
    const sorted = [...arrivals.values()].map(rounded).sort((a, b) => a - b);
    return { first: sorted[0] ?? 0, last: sorted.at(-1) ?? 0 };
  }
}
