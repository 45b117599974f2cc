import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { type Frame, readFrame } from "./frame.js";
import { type HandshakeOptions, handshake } from "./request-text.js";

/** A response as it stood on the wire. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** The values of the header `name`, one per line. */
export function headerLines({ headers }: RawResponse, name: string): string[] {
  return headers.filter(([key]) => key === name).map(([, value]) => value);
}

const pieceSize = 64 * 1024;

/** A TCP client that says exactly what a test wants said. Strings are sent and read as Latin-1. */
export class RawClient {
  readonly socket: Socket;
  /** Resolves when the connection is gone, however it ended. */
  readonly gone: Promise<void>;
  #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("end", end);
    // A reset is one of the ways a connection may end.
    socket.on("error", end);
    this.gone = new Promise((resolve) => {
      socket.once("close", () => {
        end();
        resolve();
      });
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const client = new RawClient(connect({ port, host: "127.0.0.1" }));
    onTestFinished(() => void client.socket.destroy());
    await once(client.socket, "connect");
    return client;
  }

  /** Connects and writes. */
  static async send(port: number, bytes: string | Uint8Array): Promise<RawClient> {
    const client = await RawClient.connect(port);
    client.write(bytes);
    return client;
  }

  /** Connects and gets through a handshake. */
  static async upgrade(port: number, path = "/", options: HandshakeOptions = {}): Promise<RawClient> {
    const client = await RawClient.send(port, handshake(path, options));
    const response = await client.response();
    if (response.status !== 101) throw new Error(`expected status 101, got ${response.status}`);
    return client;
  }

  write(bytes: string | Uint8Array): void {
    if (typeof bytes === "string") this.socket.write(bytes, "latin1");
    else this.socket.write(bytes);
  }

  /** Writes piece by piece, as fast as the system takes it. `taken` counts the bytes. */
  pour(bytes: Buffer): { readonly taken: number } {
    const progress = { taken: 0 };
    const next = (): void => {
      const piece = bytes.subarray(progress.taken, progress.taken + pieceSize);
      if (piece.length === 0) return;
      this.socket.write(piece, () => {
        progress.taken += piece.length;
        next();
      });
    };
    next();
    return progress;
  }

  /** How many bytes have been read and not been taken yet. */
  get received(): number {
    return this.#length;
  }

  /** Resolves when the server has ended its side, with what it sent until then. */
  async rest(): Promise<Buffer> {
    while (!this.#ended) await this.#more();
    return this.take(this.#length);
  }

  async take(size: number): Promise<Buffer> {
    while (this.#length < size) {
      if (this.#ended) throw new Error(`expected ${size} bytes, got ${this.#length} and the end`);
      await this.#more();
    }
    const all = Buffer.concat(this.#chunks);
    this.#keep(all.subarray(size));
    return all.subarray(0, size);
  }

  async line(): Promise<string> {
    for (;;) {
      const all = Buffer.concat(this.#chunks);
      this.#keep(all);
      const end = all.indexOf("\r\n");
      if (end >= 0) return (await this.take(end + 2)).toString("latin1", 0, end);
      if (this.#ended) throw new Error(`expected a line, got ${JSON.stringify(all.toString("latin1"))} and the end`);
      await this.#more();
    }
  }

  /** The next response. `method` is that of its request. */
  async response(method = "GET"): Promise<RawResponse> {
    const head = await this.head();
    return { ...head, body: await this.#body(method, head) };
  }

  /** The head of the next response, for a test that takes the body itself. */
  async head(): Promise<Omit<RawResponse, "body">> {
    const [, status = "", reason = ""] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(await this.line()) ?? [];
    const headers: [string, string][] = [];
    for (let line = await this.line(); line !== ""; line = await this.line()) {
      const colon = line.indexOf(":");
      headers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
    }
    return { status: Number(status), reason, headers };
  }

  /** The next piece of a chunked body; empty at its end. */
  async chunk(): Promise<Buffer> {
    // The line break after a chunk may come with the next one.
    const line = (await this.line()) || (await this.line());
    const size = Number.parseInt(line, 16);
    if (size === 0) await this.line();
    return this.take(size);
  }

  frame(): Promise<Frame> {
    return readFrame((size) => this.take(size));
  }

  async #body(method: string, { status, headers }: Omit<RawResponse, "body">): Promise<Buffer> {
    if (method === "HEAD" || status < 200 || status === 204 || status === 304) return Buffer.alloc(0);
    const [length] = headers.filter(([name]) => name === "content-length").map(([, value]) => Number(value));
    if (length !== undefined) return this.take(length);
    if (!headers.some(([name, value]) => name === "transfer-encoding" && value === "chunked")) return this.rest();
    const chunks: Buffer[] = [];
    for (let chunk = await this.chunk(); chunk.length > 0; chunk = await this.chunk()) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  #keep(bytes: Buffer): void {
    this.#chunks = bytes.length > 0 ? [bytes] : [];
    this.#length = bytes.length;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
