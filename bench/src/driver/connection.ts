import { connect, type Socket } from "node:net";
import { type Answer, ExactAnswer } from "./answer.js";
import { clientFrame, closeFrame, closeFrameOfServer, opcode, serverFrame } from "./frame.js";
import { nextLocalAddress } from "./local-addresses.js";

/** Milliseconds a server has for an answer. */
export const answerTimeLimit = 5_000;

interface Waiting {
  readonly answer: Answer;
  resolve(): void;
  reject(error: Error): void;
}

/** The server ended a connection. */
export class ConnectionLost extends Error {}

const mask = Buffer.from([1, 2, 3, 4]);
const probePayload = Buffer.from("probe");
const probePing = clientFrame(opcode.ping, probePayload, mask);
const probePong = serverFrame(opcode.pong, probePayload);
const pingHead = 0x80 | opcode.ping;

/** A TCP connection to a server that is to give one expected answer after the other, and nothing else. */
export class Connection {
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  /** Some of the answer has come. */
  #begun = false;
  #fault: Error | undefined;
  #follower: ((chunk: Buffer) => void) | undefined;

  private constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", localAddress: nextLocalAddress(), noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#data(chunk));
    this.#socket.on("error", (error: NodeJS.ErrnoException) => this.#lost(error.code ?? error.message));
    this.#socket.on("close", () => this.#lost("the end of the connection"));
  }

  static async open(port: number): Promise<Connection> {
    const connection = new Connection(port);
    const opened = connection.#wait({ name: `a TCP connection to port ${port}`, take: () => false, soFar: () => "" });
    connection.#socket.once("connect", () => connection.#waiting?.resolve());
    await opened;
    return connection;
  }

  /** Rejects for an answer that is wrong, late or missing, and closes the connection then. */
  ask(request: Uint8Array | string, answer: Answer): Promise<void> {
    const answered = this.#wait(answer);
    this.#socket.write(request);
    return answered;
  }

  /** Rejects as `ask` does. `early` has come already, and is the beginning of it. */
  hear(answer: Answer, early?: Buffer): Promise<void> {
    const answered = this.#wait(answer);
    if (early !== undefined && early.length > 0) this.#data(early);
    return answered;
  }

  /** From now on `take` is given everything that comes; what it throws closes the connection. */
  follow(take: (chunk: Buffer) => void): void {
    this.#follower = take;
  }

  /** Why it is not open; undefined while it is. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /** Sends, and waits for nothing. */
  say(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Sends a ping (RFC 6455 5.5.2) and waits for its pong: a WebSocket is there at both ends. */
  async probe(): Promise<void> {
    await this.ask(probePing, new ExactAnswer("a pong in return", probePong));
  }

  /** Leaves a WebSocket as RFC 6455 7.1.2 has it. */
  async close(): Promise<void> {
    await this.ask(closeFrame, new ExactAnswer("a close frame in return", closeFrameOfServer));
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends it by an RST, as a network does that goes away. */
  cut(): void {
    this.#socket.resetAndDestroy();
  }

  #wait(answer: Answer): Promise<void> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    this.#begun = false;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new Error(`expected ${answer.name} within ${answerTimeLimit} ms${got(answer.soFar())}`));
      }, answerTimeLimit);
      const over = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
        this.#begun = false;
      };
      this.#waiting = {
        answer,
        resolve: () => {
          over();
          resolve();
        },
        reject: (error) => {
          over();
          reject(error);
        },
      };
    });
  }

  #data(came: Buffer): void {
    const chunk = this.#begun ? came : this.#answerPings(came);
    if (chunk.length === 0) return;
    try {
      if (this.#waiting !== undefined) this.#answered(this.#waiting, chunk);
      else if (this.#follower !== undefined) this.#follower(chunk);
      else throw new Error(`expected nothing, as nothing was asked, got ${chunk.length} bytes`);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #answered({ answer, resolve }: Waiting, chunk: Buffer): void {
    this.#begun = true;
    if (answer.take(chunk)) resolve();
  }

  /** A server may send a ping at any time. Returns what comes behind them. */
  #answerPings(chunk: Buffer): Buffer {
    let at = 0;
    while (chunk[at] === pingHead) {
      const end = at + 2 + chunk.readUInt8(at + 1);
      this.#socket.write(clientFrame(opcode.pong, chunk.subarray(at + 2, end), mask));
      at = end;
    }
    return chunk.subarray(at);
  }

  #lost(how: string): void {
    const { answer } = this.#waiting ?? {};
    const expected = answer?.name ?? "an open connection";
    this.#fail(new ConnectionLost(`expected ${expected}${got(answer?.soFar() ?? "")}, then ${how}`));
  }

  #fail(error: Error): void {
    this.#fault ??= error;
    this.#socket.destroy();
    this.#waiting?.reject(this.#fault);
  }
}

function got(soFar: string): string {
  return `, got ${soFar === "" ? "nothing" : soFar}`;
}
