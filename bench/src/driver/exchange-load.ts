import { ExactAnswer } from "./answer.js";
import { arrival, arriveInSilence } from "./arrival.js";
import { Connection } from "./connection.js";
import { inParallel } from "./in-parallel.js";
import type { Load, Outcome, Visit } from "./load.js";
import { Losses } from "./losses.js";

const connectionCount = 16;

/** What a client sends in one write, and what it is answered with. */
export interface Exchange {
  readonly path: string;
  /** For errors: `"the echo of 64 messages"`. */
  readonly name: string;
  readonly messages: number;
  readonly question: Buffer;
  readonly answer: Buffer;
}

/** Sends messages over a few WebSockets and waits for their answers, a burst at a time. */
export class ExchangeLoad implements Load {
  readonly #visit: Visit;
  readonly #exchange: Exchange;
  readonly #burstsEach: number;
  readonly #connections: Connection[] = [];
  readonly #losses = new Losses(3);

  /** The units are rounded up to whole bursts, the same number on every connection. */
  constructor(visit: Visit, exchange: Exchange) {
    this.#visit = visit;
    this.#exchange = exchange;
    this.#burstsEach = Math.ceil(visit.units / (connectionCount * exchange.messages));
  }

  async prepare(): Promise<void> {
    const { port, dialect, tokens } = this.#visit;
    while (this.#connections.length < connectionCount) {
      const connection = await Connection.open(port);
      await arriveInSilence(connection, arrival(dialect, this.#exchange.path, await tokens.fresh()));
      if (await this.#losses.bear(() => this.#speak(connection))) this.#connections.push(connection);
    }
  }

  run(): Promise<void> {
    return inParallel(this.#connections, connectionCount, async (connection) => {
      for (let count = 0; count < this.#burstsEach; count++) await this.#speak(connection);
    });
  }

  async finish(): Promise<Outcome> {
    await inParallel(this.#connections, connectionCount, (connection) => connection.close());
    return { units: this.#burstsEach * connectionCount * this.#exchange.messages, lost: this.#losses.count };
  }

  /** One burst and its answers. */
  #speak(connection: Connection): Promise<void> {
    const { name, messages, question, answer } = this.#exchange;
    return connection.ask(question, new ExactAnswer(name, answer, answer.length / messages));
  }
}
