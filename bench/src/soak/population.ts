import { Pauses } from "./pauses.js";
import { Random } from "./random.js";
import type { Tally } from "./tally.js";
import type { Pace } from "./visit.js";
import { shares, type VisitKind, visits } from "./visits.js";

/** Members of a room, on average. */
const roomSize = 10;

/** What all clients together do in a second, about: bounds that leave two cores some air. */
const rates = { visits: 150, messages: 500 } as const;

/** Milliseconds, for small populations. */
const shortest: Pace = { stay: 1_000, gap: 200 };

/**
 * How many clients come at once, and the milliseconds until the next do: 1,000 a second, unless that many wait to be taken
 * in. More would not fit into the queue that the system has for them.
 */
const batch = { size: 50, every: 50, waiting: 100 } as const;

export interface PopulationOptions {
  readonly port: number;
  readonly connections: number;
  readonly seed: number;
}

/** Clients of which each makes one connection after the other. */
export class Population {
  readonly #options: PopulationOptions;
  readonly #tally: Tally;
  readonly #pauses = new Pauses();
  readonly #random: Random;
  readonly #pace: Pace;
  readonly #clients: Promise<void>[] = [];
  #visits = 0;
  #arriving = 0;

  constructor(options: PopulationOptions, tally: Tally) {
    const { connections, seed } = options;
    this.#options = options;
    this.#tally = tally;
    this.#random = new Random(seed);
    this.#pace = {
      stay: Math.max(shortest.stay, (connections / rates.visits) * 1000),
      gap: Math.max(shortest.gap, (connections / rates.messages) * 1000),
    };
  }

  /** Resolves when all of them have begun. */
  async arrive(): Promise<void> {
    for (let count = 1; count <= this.#options.connections; count++) {
      this.#clients.push(this.#live());
      if (count % batch.size !== 0) continue;
      do await new Promise((resolve) => setTimeout(resolve, batch.every));
      while (this.#arriving > batch.waiting);
    }
  }

  /** Resolves when the last of them has gone. */
  async leave(): Promise<void> {
    await this.#pauses.endAll();
    await Promise.all(this.#clients);
  }

  async #live(): Promise<void> {
    while (!this.#pauses.over) {
      await this.#visit(this.#random.pick(shares));
      // A server that refuses everything is not to be asked as fast as it can refuse.
      await this.#pauses.for(this.#random.around(shortest.gap));
    }
  }

  async #visit(kind: VisitKind): Promise<void> {
    let arriving = true;
    const arrived = (): void => {
      if (arriving) this.#arriving--;
      arriving = false;
    };
    this.#arriving++;
    this.#tally.visited(kind);
    try {
      await visits[kind]({
        name: `${this.#visits++}`,
        port: this.#options.port,
        room: this.#random.below(Math.ceil(this.#options.connections / roomSize)),
        random: this.#random,
        pauses: this.#pauses,
        pace: this.#pace,
        tally: this.#tally,
        arrived,
      });
    } catch (error) {
      this.#tally.failed(kind, error);
    } finally {
      arrived();
    }
  }
}
