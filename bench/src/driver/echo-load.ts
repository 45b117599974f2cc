import { ExactAnswer } from "./answer.js";
import { Connection } from "./connection.js";
import { clientFrame, opcode, serverFrame } from "./frame.js";
import { handshake } from "./handshake.js";
import { inParallel } from "./in-parallel.js";
import type { Load } from "./load.js";
import { Losses } from "./losses.js";
import type { Tokens } from "./tokens.js";

const connectionCount = 16;

/** Messages that go out in one write, before the first echo is waited for. */
const burst = 64;

/** In bytes. */
const messageSize = 66;

/** A payload per message of a burst, so that an echo in the wrong place is noticed. */
const payloads = Array.from({ length: burst }, (_, index) => {
  const start = `{"type":"message","number":${String(index).padStart(3, "0")},"text":"`;
  return Buffer.from(`${start}${"Hello, world. ".repeat(5).slice(0, messageSize - start.length - 2)}"}`);
});
const question = Buffer.concat(
  payloads.map((payload, index) => clientFrame(opcode.text, payload, Buffer.from([0x37, 0xfa, 0x21, index]))),
);
const echo = Buffer.concat(payloads.map((payload) => serverFrame(opcode.text, payload)));

/** Sends text over a few WebSockets and waits for it to come back, a burst at a time. */
export class EchoLoad implements Load {
  readonly units: number;
  readonly #port: number;
  readonly #tokens: Tokens;
  readonly #burstsEach: number;
  readonly #connections: Connection[] = [];
  readonly #losses = new Losses(3);

  /** `units` is rounded up to whole bursts, the same number on every connection. */
  constructor(port: number, units: number, tokens: Tokens) {
    this.#port = port;
    this.#tokens = tokens;
    this.#burstsEach = Math.ceil(units / (connectionCount * burst));
    this.units = this.#burstsEach * connectionCount * burst;
  }

  async prepare(): Promise<void> {
    while (this.#connections.length < connectionCount) {
      const connection = await Connection.open(this.#port);
      const { request, answer } = handshake({ token: await this.#tokens.fresh() });
      await connection.ask(request, answer());
      if (await this.#losses.bear(() => exchange(connection))) this.#connections.push(connection);
    }
  }

  run(): Promise<void> {
    return inParallel(this.#connections, connectionCount, async (connection) => {
      for (let count = 0; count < this.#burstsEach; count++) await exchange(connection);
    });
  }

  async finish(): Promise<number> {
    await inParallel(this.#connections, connectionCount, (connection) => connection.close());
    return this.#losses.count;
  }
}

/** One burst and its echo. */
function exchange(connection: Connection): Promise<void> {
  return connection.ask(question, new ExactAnswer(`the echo of ${burst} messages`, echo, echo.length / burst));
}
