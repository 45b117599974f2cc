import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { HeadAnswer } from "../driver/answer.js";
import { clientFrame, closeFrame, opcode } from "../driver/frame.js";
import { FrameReader } from "./frame-reader.js";
import { within } from "./within.js";
import { prefixOf, roomPath, welcome } from "./words.js";

/** The server ended a WebSocket right after its 101, which a fault of uWebSockets.js makes it do now and then. */
export class LostAfterUpgrade extends Error {}

/** How a connection ended. */
export interface Ending {
  /** Of the server's close frame; 1006 without one. */
  readonly code: number;
  /** What should not have happened on it. */
  readonly fault: Error | undefined;
}

interface Wanted {
  readonly name: string;
  readonly isIt: (text: string) => boolean;
  resolve(): void;
  reject(error: Error): void;
}

const mask = Buffer.from([1, 2, 3, 4]);
const noCloseFrame = 1006;
const opcodes = { ...opcode, binary: 2, ping: 9, pong: 10 } as const;

/** A client on a raw socket, to behave well or badly with. */
export class Guest {
  /** When the TCP connection is over, whoever ended it. */
  readonly ended: Promise<Ending>;
  readonly #room: number;
  readonly #socket: Socket;
  readonly #frames = new FrameReader((code, payload) => this.#frame(code, payload));
  #head: HeadAnswer | undefined;
  #wanted: Wanted | undefined;
  #code = noCloseFrame;
  #fault: Error | undefined;
  #over = false;
  #onBinary = (_length: number): void => {};

  constructor(port: number, room: number) {
    this.#room = room;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk) => this.#data(chunk));
    // The end of the connection is the report.
    this.#socket.on("error", () => {});
    this.ended = new Promise((resolve) => {
      this.#socket.once("close", () => {
        this.#over = true;
        this.#wanted?.reject(this.#fault ?? new Error(`expected ${this.#wanted.name}, got the end (${this.#code})`));
        resolve({ code: this.#code, fault: this.#fault });
      });
    });
  }

  /** Becomes a member of the room. Rejects with `LostAfterUpgrade` if the WebSocket ends before it is one. */
  async join(path: string = roomPath(this.#room)): Promise<void> {
    let upgraded = false;
    const welcomed = this.#want("the welcome to a room", (text) => text === welcome);
    this.#head = new HeadAnswer("a 101", ({ statusLine, rest }) => {
      if (!statusLine.startsWith("HTTP/1.1 101 ")) throw new Error(`expected a 101, got ${JSON.stringify(statusLine)}`);
      upgraded = true;
      this.#frames.take(Buffer.from(rest, "latin1"));
    });
    this.shake(path);
    try {
      await welcomed;
    } catch (error) {
      if (!upgraded || this.#fault !== undefined || !this.#over) throw error;
      throw new LostAfterUpgrade("expected the welcome to a room, got the end of the connection", { cause: error });
    }
  }

  /** Asks for a WebSocket and resolves with the status that refuses it. */
  async refusal(path: string): Promise<string> {
    let status = "nothing";
    const ended = this.ended;
    this.#head = new HeadAnswer("a refusal", ({ statusLine }) => {
      status = statusLine.split(" ")[1] ?? statusLine;
      this.#socket.destroy();
    });
    this.shake(path);
    await within(ended, "an answer to a handshake that is to be refused");
    return status;
  }

  /** Sends a handshake, and waits for nothing. */
  shake(path: string): void {
    const lines = [
      `GET ${path} HTTP/1.1`,
      "Host: soak.example",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ];
    this.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  /** Says something to the room; resolves when it has come back. */
  say(verb: string, text: string): Promise<void> {
    const said = prefixOf(this.#room) + text;
    const heard = this.#want(`"${said}" to come back`, (incoming) => incoming === said);
    this.command(verb + said);
    return heard;
  }

  /** Sends a text message, and waits for nothing. */
  command(text: string): void {
    this.write(clientFrame(opcodes.text, Buffer.from(text), mask));
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** Resolves when the server has ended the connection. */
  async end(): Promise<Ending> {
    const ending = await within(this.ended, "the end of a connection");
    if (ending.fault !== undefined) throw ending.fault;
    return ending;
  }

  /** Leaves as RFC 6455 7.1.2 has it. Rejects if the server does not answer in kind. */
  async leave(): Promise<void> {
    this.write(closeFrame);
    const { code } = await this.end();
    if (code !== 1000) throw new Error(`expected 1000 in return for a close frame with 1000, got ${code}`);
  }

  /** Reads on, and leaves once that many bytes have come in binary messages, of which none has come before. */
  async leaveAfter(bytes: number): Promise<void> {
    let left = bytes;
    const came = new Promise<void>((resolve) => {
      this.#onBinary = (length) => {
        left -= length;
        if (left <= 0) resolve();
      };
    });
    this.#socket.resume();
    await within(Promise.race([came, this.end()]), `${bytes} bytes that had been held back`);
    await this.leave();
  }

  /** Ends the connection by a FIN without a close frame; the server's half stays open. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Ends the connection by an RST. */
  cut(): void {
    this.#socket.resetAndDestroy();
  }

  stopReading(): void {
    this.#socket.pause();
  }

  #want(name: string, isIt: (text: string) => boolean): Promise<void> {
    if (this.#over) return Promise.reject(this.#fault ?? new Error(`expected ${name}, but the connection was over`));
    const came = new Promise<void>((resolve, reject) => {
      this.#wanted = { name, isIt, resolve, reject };
    });
    return within(came, name).finally(() => {
      this.#wanted = undefined;
    });
  }

  #data(chunk: Buffer): void {
    try {
      if (this.#head === undefined) this.#frames.take(chunk);
      else if (this.#head.take(chunk)) this.#head = undefined;
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #frame(code: number, payload: Buffer): void {
    if (code === opcodes.text) this.#heard(payload.toString());
    else if (code === opcodes.binary) this.#onBinary(payload.length);
    else if (code === opcodes.ping) this.write(clientFrame(opcodes.pong, payload, mask));
    else if (code === opcodes.close) this.#closed(payload);
    else throw new Error(`expected text, binary, ping or close, got a frame of opcode ${code}`);
  }

  #heard(text: string): void {
    if (this.#wanted?.isIt(text)) this.#wanted.resolve();
    else if (!text.startsWith(prefixOf(this.#room))) {
      throw new Error(`expected nothing but what is said in room ${this.#room}, got ${JSON.stringify(text)}`);
    }
  }

  #closed(payload: Buffer): void {
    this.#code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    this.#socket.end(closeFrame);
  }

  #fail(error: Error): void {
    this.#fault ??= error;
    this.#socket.destroy();
  }
}
