import { once } from "node:events";
import { connect, type Socket } from "node:net";

const request = "GET /pulse HTTP/1.1\r\nHost: test.example\r\n\r\n";

/**
 * One connection on which proper requests are answered all the time. A beat is the time a server needs to get round to
 * one: what it has not done to another client after some beats, it is not about to do. No clock is asked.
 */
export class Pulse {
  readonly #socket: Socket;
  readonly #body: string;
  #waiting: PromiseWithResolvers[] = [];
  #answering: PromiseWithResolvers[] = [];
  #received = "";
  #failure: Error | undefined;

  private constructor(socket: Socket, body: string) {
    this.#socket = socket;
    this.#body = body;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#read(text));
    socket.on("error", () => {});
    socket.on("close", () => this.#fail("expected proper requests to be answered all the time, got the end"));
  }

  static async start(port: number, body: string): Promise<Pulse> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new Pulse(socket, body);
  }

  /** Resolves when a request that was sent later than this call has been answered. */
  beat(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#waiting.push({ resolve, reject });
      if (this.#answering.length === 0) this.#ask();
    });
  }

  stop(): void {
    this.#socket.removeAllListeners("close").destroy();
  }

  #ask(): void {
    this.#answering = this.#waiting;
    this.#waiting = [];
    if (this.#answering.length > 0) this.#socket.write(request);
  }

  #read(text: string): void {
    this.#received += text;
    if (!this.#received.endsWith(`\r\n\r\n${this.#body}`)) return;
    if (!this.#received.startsWith("HTTP/1.1 200 ")) this.#fail(`expected 200, got ${this.#received.slice(0, 100)}`);
    this.#received = "";
    for (const { resolve } of this.#answering) resolve();
    this.#ask();
  }

  #fail(problem: string): void {
    this.#failure = new Error(problem);
    for (const { reject } of [...this.#answering, ...this.#waiting]) reject(this.#failure);
  }
}

interface PromiseWithResolvers {
  resolve(): void;
  reject(error: Error): void;
}
