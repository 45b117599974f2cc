import { paths } from "../servers/site.js";
import { type Arrival, arrival, arriveInSilence } from "./arrival.js";
import { Connection } from "./connection.js";
import { inParallel } from "./in-parallel.js";
import type { Load, Outcome, Visit } from "./load.js";
import { Losses } from "./losses.js";

/** How many handshakes are under way at a time. */
const width = 32;

/** Connects and shakes hands, each time with a token never seen before. The WebSockets stay open until the end. */
export class HandshakeLoad implements Load {
  readonly #visit: Visit;
  readonly #path: string;
  readonly #connections: Connection[] = [];
  #arrivals: readonly Arrival[] = [];

  constructor(visit: Visit, path: string = paths.echo) {
    this.#visit = visit;
    this.#path = path;
  }

  async prepare(): Promise<void> {
    const tokens = await Promise.all(Array.from({ length: this.#visit.units }, () => this.#visit.tokens.fresh()));
    this.#arrivals = tokens.map((token) => arrival(this.#visit.dialect, this.#path, token));
  }

  run(): Promise<void> {
    return inParallel(this.#arrivals, width, async (arrival) => {
      const connection = await Connection.open(this.#visit.port);
      this.#connections.push(connection);
      await arriveInSilence(connection, arrival);
    });
  }

  async finish(): Promise<Outcome> {
    const losses = new Losses(Math.max(3, this.#visit.units / 100));
    await inParallel(this.#connections.splice(0), width, async (connection) => {
      await losses.bear(() => connection.close());
    });
    return { units: this.#visit.units, lost: losses.count };
  }
}
