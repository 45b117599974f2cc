import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { HeadAnswer } from "../driver/answer.js";
import { clientFrame, opcode } from "../driver/frame.js";
import { now } from "../measure/now.js";
import { FrameReader } from "../soak/frame-reader.js";

/** How a WebSocket has ended. */
export interface Closing {
  /** Of the server's close frame; undefined without one. */
  readonly code: number | undefined;
  readonly reason: string;
  /** The code, or what went wrong. */
  readonly how: string;
  /** When the close frame came, or the end of the connection. By `now()`. */
  readonly at: number;
}

export interface RawWebSocketOptions {
  readonly port: number;
  readonly path: string;
  readonly headers?: readonly string[];
  /** Told of each text, and when it came by `now()`. */
  readonly onText: (text: string, arrival: number) => void;
}

const mask = Buffer.from([1, 2, 3, 4]);
const [ping, pong] = [9, 10];
const noStatus = 1005;

/** A client on a raw socket, which costs little and notes when bytes come. */
export class RawWebSocket {
  /** Resolves at the server's close frame, or at the end of a connection without one. */
  readonly closing: Promise<Closing>;
  readonly #socket: Socket;
  readonly #options: RawWebSocketOptions;
  readonly #frames = new FrameReader((code, payload) => this.#frame(code, payload));
  #head: HeadAnswer | undefined;
  #close = (_closing: Closing): void => {};
  #arrival = 0;

  constructor(options: RawWebSocketOptions) {
    this.#options = options;
    this.closing = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.#head = new HeadAnswer("a 101", ({ statusLine, rest }) => {
      if (!statusLine.startsWith("HTTP/1.1 101 ")) throw new Error(`expected a 101, got ${JSON.stringify(statusLine)}`);
      this.#frames.take(Buffer.from(rest, "latin1"));
    });
    this.#socket = connect({ port: options.port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk) => this.#data(chunk));
    this.#socket.on("error", (error) => this.#fail(error.message));
    this.#socket.once("close", () => this.#fail("without a close frame"));
    this.#shake();
  }

  /** All of it in one write. */
  say(texts: readonly string[]): void {
    this.#socket.write(Buffer.concat(texts.map((text) => clientFrame(opcode.text, Buffer.from(text), mask))));
  }

  #shake(): void {
    const { path, headers = [] } = this.#options;
    const lines = [
      `GET ${path} HTTP/1.1`,
      "Host: check.example",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
      ...headers,
    ];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  #data(chunk: Buffer): void {
    this.#arrival = now();
    try {
      if (this.#head === undefined) this.#frames.take(chunk);
      else if (this.#head.take(chunk)) this.#head = undefined;
    } catch (error) {
      this.#fail((error as Error).message);
      this.#socket.destroy();
    }
  }

  #frame(code: number, payload: Buffer): void {
    if (code === opcode.text) this.#options.onText(payload.toString(), this.#arrival);
    else if (code === ping) this.#socket.write(clientFrame(pong, payload, mask));
    else if (code === opcode.close) this.#closed(payload);
    else throw new Error(`expected text, ping or close, got a frame of opcode ${code}`);
  }

  /** Answers in kind (RFC 6455 5.5.1). */
  #closed(payload: Buffer): void {
    const code = payload.length < 2 ? noStatus : payload.readUInt16BE(0);
    this.#close({ code, reason: payload.toString("utf8", 2), how: String(code), at: this.#arrival });
    this.#socket.end(clientFrame(opcode.close, payload.subarray(0, 2), mask));
  }

  #fail(how: string): void {
    this.#close({ code: undefined, reason: "", how, at: now() });
  }
}
