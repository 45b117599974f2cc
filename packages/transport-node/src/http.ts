import type { IncomingMessage, ServerResponse } from "node:http";
import type { HeaderList, HttpSession, HttpTransport, ProtocolServer, RequestHead, WriteStatus } from "@sluice/core";
import type { ConnectionSettings } from "./connection-settings.js";
import { cutSoon } from "./end-of-socket.js";
import { ownBytes } from "./own-bytes.js";
import { type ResponseHead, responseHead } from "./response.js";

const empty = new Uint8Array(0);

/** One request and its response. */
export class HttpConnection implements HttpTransport {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #settings: ConnectionSettings;
  #session: HttpSession | undefined;
  /** Of a response that comes in pieces. */
  #head: ResponseHead | undefined;
  #given = 0;
  #behind = false;
  /** False once the response is complete, or cannot be completed any more. */
  #open = true;

  constructor(request: IncomingMessage, response: ServerResponse, settings: ConnectionSettings) {
    this.#request = request;
    this.#response = response;
    this.#settings = settings;
  }

  /** True once some of the response has gone out. */
  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  /** Runs the application on the request. Call it in the callback that brought the request. */
  open(server: ProtocolServer, head: RequestHead): void {
    this.#session = server.openHttp(this, head);
    if (this.#session === undefined) return;
    if (!hasBody(head.headers)) {
      this.#session.data(empty, true);
      return;
    }
    const { guard } = this.#settings;
    this.#request.on(
      "data",
      guard((chunk: Buffer) => this.#session?.data(ownBytes(chunk), false)),
    );
    this.#request.on(
      "end",
      guard(() => this.#session?.data(empty, true)),
    );
  }

  /** Asks for the body, as the client waits for that (RFC 9110 10.1.1). */
  askForBody(): void {
    if (this.#open && !this.hasBegun) this.#response.writeContinue();
  }

  /** The connection is over, or the system has the whole response. */
  closed(): void {
    this.#open = false;
    if (this.#response.writableFinished) this.#session?.sent();
    else this.#session?.aborted();
  }

  respond(status: number, headers: HeaderList, body: Uint8Array | string): void {
    if (!this.#open) return;
    this.#open = false;
    const head = responseHead(this.#request.method ?? "", status, headers);
    const length = Buffer.byteLength(body);
    if (head.isBodiless) {
      this.#writeHead(status, head, length > 0 ? length : head.contentLength);
      this.#response.end();
    } else {
      this.#writeHead(status, head, length);
      // Node.js joins a string to the head and writes both as UTF-8, whereas header values are Latin-1.
      this.#response.end(typeof body === "string" && !head.hasLatin1 ? body : Buffer.from(body));
    }
    this.#readOn();
  }

  start(status: number, headers: HeaderList): void {
    if (!this.#open) return;
    const head = responseHead(this.#request.method ?? "", status, headers);
    this.#head = head;
    this.#writeHead(status, head, head.contentLength);
    this.#response.on(
      "drain",
      this.#settings.guard(() => {
        this.#behind = false;
        this.#session?.drained();
      }),
    );
    // It goes out with the first piece where that comes at once.
    process.nextTick(() => {
      if (this.#open && this.#given === 0) this.#response.flushHeaders();
    });
  }

  write(chunk: Uint8Array | string): WriteStatus {
    if (!this.#open || this.#head === undefined || this.#head.isBodiless) return "ok";
    // A copy, as what the socket does not take at once waits, and the application may write to its own.
    const bytes = this.#within(Buffer.from(chunk), this.#head);
    if (bytes.byteLength === 0) return "ok";
    if (this.#behind && this.#response.writableLength + bytes.byteLength > this.#settings.maxBackpressure) {
      return "dropped";
    }
    this.#given += bytes.byteLength;
    if (!this.#response.write(bytes)) this.#behind = true;
    return this.#behind ? "buffered" : "ok";
  }

  end(): void {
    if (!this.#open || this.#head === undefined) return;
    const { isBodiless, contentLength = 0 } = this.#head;
    if (!isBodiless && this.#given < contentLength) {
      // It would be taken for the beginning of the next response.
      this.abort();
      return;
    }
    this.#open = false;
    this.#response.end();
    this.#readOn();
  }

  abort(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#behind) this.#request.socket.destroy();
    else cutSoon(this.#request.socket);
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  #writeHead(status: number, { lines }: ResponseHead, length: number | undefined): void {
    if (status !== 204 && length !== undefined) lines.push("content-length", String(length));
    this.#response.writeHead(status, lines);
  }

  /** What is left of the request body must not stand in the way of the next request. */
  #readOn(): void {
    if (this.#request.isPaused()) this.#request.resume();
  }

  /** What lies within the length that was announced: more would be taken for the next response. */
  #within(bytes: Uint8Array, { contentLength }: ResponseHead): Uint8Array {
    return contentLength === undefined ? bytes : bytes.subarray(0, Math.max(0, contentLength - this.#given));
  }
}

function hasBody(headers: HeaderList): boolean {
  return headers.some(([name, value]) => (name === "content-length" && value !== "0") || name === "transfer-encoding");
}
