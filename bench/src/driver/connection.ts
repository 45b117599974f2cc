import { connect, type Socket } from "node:net";
import { type Answer, ExactAnswer } from "./answer.js";
import { closeFrame, closeFrameOfServer } from "./frame.js";

/** Milliseconds a server has for an answer. */
export const answerTimeLimit = 5_000;

interface Waiting {
  readonly answer: Answer;
  resolve(): void;
  reject(error: Error): void;
}

/** The server ended a connection. */
export class ConnectionLost extends Error {}

/** A TCP connection to a server that is to give one expected answer after the other, and nothing else. */
export class Connection {
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #fault: Error | undefined;

  private constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
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

  /** Leaves a WebSocket as RFC 6455 7.1.2 has it. */
  async close(): Promise<void> {
    await this.ask(closeFrame, new ExactAnswer("a close frame in return", closeFrameOfServer));
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #wait(answer: Answer): Promise<void> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new Error(`expected ${answer.name} within ${answerTimeLimit} ms${got(answer.soFar())}`));
      }, answerTimeLimit);
      const over = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
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

  #data(chunk: Buffer): void {
    if (this.#waiting === undefined) {
      this.#fail(new Error(`expected nothing, as nothing was asked, got ${chunk.length} bytes`));
      return;
    }
    try {
      if (this.#waiting.answer.take(chunk)) this.#waiting.resolve();
    } catch (error) {
      this.#fail(error as Error);
    }
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
