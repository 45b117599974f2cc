import { once } from "node:events";
import { onTestFinished } from "vitest";
import { type ClientOptions, WebSocket } from "ws";

/** A WebSocket client that a test can wait for. */
export class WebSocketClient {
  readonly socket: WebSocket;
  /** Resolves with the close frame's code and reason; 1006 if there was none. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #messages: (string | Buffer)[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      this.#messages.push(isBinary ? data : data.toString());
      this.#wake?.();
    });
    // A reset is one of the ways a connection may end: "close" tells with which code.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        this.#ended = true;
        this.#wake?.();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Rejects if the server does not accept. */
  static async open(
    port: number,
    path = "/",
    protocols: string[] = [],
    options: ClientOptions = {},
  ): Promise<WebSocketClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, options);
    onTestFinished(() => socket.terminate());
    const client = new WebSocketClient(socket);
    await once(socket, "open");
    return client;
  }

  /** Text as a string, binary as a buffer. Rejects if the connection ends instead. */
  async next(): Promise<string | Buffer> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#ended) throw new Error("expected a message, got the end of the connection");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async take(count: number): Promise<(string | Buffer)[]> {
    const messages: (string | Buffer)[] = [];
    while (messages.length < count) messages.push(await this.next());
    return messages;
  }
}
