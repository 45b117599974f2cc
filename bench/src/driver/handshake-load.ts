import { Connection } from "./connection.js";
import { type Handshake, handshake } from "./handshake.js";
import { inParallel } from "./in-parallel.js";
import type { Load } from "./load.js";
import { Losses } from "./losses.js";
import type { Tokens } from "./tokens.js";

/** How many handshakes are under way at a time. */
const width = 32;

/** Connects and shakes hands, each time with a token never seen before. The WebSockets stay open until the end. */
export class HandshakeLoad implements Load {
  readonly units: number;
  readonly #port: number;
  readonly #tokens: Tokens;
  readonly #connections: Connection[] = [];
  #handshakes: readonly Handshake[] = [];

  constructor(port: number, units: number, tokens: Tokens) {
    this.#port = port;
    this.units = units;
    this.#tokens = tokens;
  }

  async prepare(): Promise<void> {
    const tokens = await Promise.all(Array.from({ length: this.units }, () => this.#tokens.fresh()));
    this.#handshakes = tokens.map((token) => handshake({ token }));
  }

  run(): Promise<void> {
    return inParallel(this.#handshakes, width, async ({ request, answer }) => {
      const connection = await Connection.open(this.#port);
      this.#connections.push(connection);
      await connection.ask(request, answer());
    });
  }

  async finish(): Promise<number> {
    const losses = new Losses(Math.max(3, this.units / 100));
    await inParallel(this.#connections.splice(0), width, async (connection) => {
      await losses.bear(() => connection.close());
    });
    return losses.count;
  }
}
