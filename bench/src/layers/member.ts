import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { HeadAnswer } from "../driver/answer.js";
import { clientFrame, opcode } from "../driver/frame.js";
import { FrameReader } from "../soak/frame-reader.js";
import { within } from "../soak/within.js";
import { now } from "./now.js";
import { say, type Told, welcome } from "./words.js";

type Listener = (told: Told, arrival: number) => void;

const mask = Buffer.from([1, 2, 3, 4]);
const [ping, pong] = [9, 10];

/** A client on a raw socket. */
export class Member {
  /** How the connection ended, which it is not to do. */
  readonly ended: Promise<string>;
  readonly #socket: Socket;
  readonly #listener: Listener;
  readonly #frames = new FrameReader((code, payload) => this.#frame(code, payload));
  #head: HeadAnswer | undefined;
  #welcomed = (_channel: string): void => {};
  #end: string | undefined;
  #arrival = 0;

  constructor(port: number, listener: Listener) {
    this.#listener = listener;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk) => this.#data(chunk));
    this.#socket.on("error", (error) => this.#ends(error.message));
    this.ended = new Promise((resolve) => {
      this.#socket.once("close", () => resolve(this.#end ?? "without a close frame"));
    });
  }

  /** Resolves with the name of the consumer's channel once that is in its groups. */
  join(path: string): Promise<string> {
    const welcomed = new Promise<string>((resolve, reject) => {
      this.#welcomed = resolve;
      void this.ended.then((end) => reject(new Error(`expected to be welcomed at ${path}, got the end (${end})`)));
    });
    this.#head = new HeadAnswer("a 101", ({ statusLine, rest }) => {
      if (!statusLine.startsWith("HTTP/1.1 101 ")) throw new Error(`expected a 101, got ${JSON.stringify(statusLine)}`);
      this.#frames.take(Buffer.from(rest, "latin1"));
    });
    const lines = [
      `GET ${path} HTTP/1.1`,
      "Host: check.example",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    return within(welcomed, `a welcome at ${path}`);
  }

  /** All of it in one write. */
  say(numbers: readonly number[]): void {
    const frames = numbers.map((number) => clientFrame(opcode.text, Buffer.from(`${say}${number}`), mask));
    this.#socket.write(Buffer.concat(frames));
  }

  #data(chunk: Buffer): void {
    this.#arrival = now();
    try {
      if (this.#head === undefined) this.#frames.take(chunk);
      else if (this.#head.take(chunk)) this.#head = undefined;
    } catch (error) {
      this.#ends((error as Error).message);
      this.#socket.destroy();
    }
  }

  #frame(code: number, payload: Buffer): void {
    if (code === opcode.text) this.#text(payload.toString());
    else if (code === ping) this.#socket.write(clientFrame(pong, payload, mask));
    else if (code === opcode.close) this.#ends(payload.length < 2 ? "1005" : String(payload.readUInt16BE(0)));
    else throw new Error(`expected text, ping or close, got a frame of opcode ${code}`);
  }

  #text(text: string): void {
    if (text.startsWith(welcome)) this.#welcomed(text.slice(welcome.length));
    else this.#listener(JSON.parse(text) as Told, this.#arrival);
  }

  #ends(how: string): void {
    this.#end ??= how;
  }
}
