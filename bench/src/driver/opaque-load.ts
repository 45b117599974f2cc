import { paths } from "../servers/site.js";
import { type Arrival, arrival, arriveInSilence } from "./arrival.js";
import { Connection } from "./connection.js";
import { inParallel } from "./in-parallel.js";
import type { Load, Outcome, Visit } from "./load.js";
import { Losses } from "./losses.js";

/** How many connect at a time: fewer than a server lets wait. */
const width = 64;

/** Connects, and when all are connected shakes hands with all at once, each with an opaque token never seen before. */
export class OpaqueLoad implements Load {
  readonly #visit: Visit;
  #arrivals: readonly Arrival[] = [];
  #connections: readonly Connection[] = [];

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  async prepare(): Promise<void> {
    const tokens = await this.#visit.tokens.opaque(this.#visit.units);
    this.#arrivals = tokens.map((token) => arrival(this.#visit.dialect, paths.opaque, token));
  }

  async run(): Promise<void> {
    const waiting: [Connection, Arrival][] = [];
    await inParallel(this.#arrivals, width, async (arrival) => {
      waiting.push([await Connection.open(this.#visit.port), arrival]);
    });
    this.#connections = waiting.map(([connection]) => connection);
    await inParallel(waiting, waiting.length, ([connection, arrival]) => arriveInSilence(connection, arrival));
  }

  async finish(): Promise<Outcome> {
    const losses = new Losses(Math.max(3, this.#visit.units / 100));
    await inParallel(this.#connections, width, async (connection) => {
      await losses.bear(() => connection.close());
    });
    return { units: this.#visit.units, lost: losses.count };
  }
}
