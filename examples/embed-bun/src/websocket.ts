import {
  type AcceptOptions,
  byteLength,
  fetchHeaders,
  fetchResponse,
  type HeaderList,
  type ProtocolServer,
  type RequestHead,
  type WebSocketSession,
  type WebSocketTransport,
  type WriteStatus,
} from "@sluice/core";
import type { BunServer, BunSocket } from "./native.js";

/** Undefined for a handshake that Bun has answered itself. */
type Answer = (response: Response | undefined) => void;

export interface WebSocketSettings {
  readonly maxBackpressure: number;
  readonly compression: boolean;
}

/** One WebSocket, from its handshake on. */
export class WebSocketConnection implements WebSocketTransport {
  readonly #bun: BunServer<WebSocketConnection>;
  readonly #request: Request;
  readonly #answer: Answer;
  readonly #settings: WebSocketSettings;
  #answered = false;
  #session: WebSocketSession | undefined;
  #socket: BunSocket<WebSocketConnection> | undefined;
  #behind = false;

  constructor(bun: BunServer<WebSocketConnection>, request: Request, answer: Answer, settings: WebSocketSettings) {
    this.#bun = bun;
    this.#request = request;
    this.#answer = answer;
    this.#settings = settings;
  }

  open(server: ProtocolServer, head: RequestHead): void {
    this.#session = server.openWebSocket(this, head);
    this.#request.signal.addEventListener("abort", () => {
      // Later on it aborts when the WebSocket ends, and before that has told its code.
      if (!this.#answered) this.#session?.closed(1006);
    });
  }

  accept({ subprotocol, headers: list }: AcceptOptions): void {
    this.#answered = true;
    const headers = fetchHeaders(list);
    if (subprotocol !== undefined) headers.set("sec-websocket-protocol", subprotocol);
    const upgraded = this.#bun.upgrade(this.#request, { data: this, headers });
    // The client has gone, and Bun is about to say so.
    if (!upgraded) queueMicrotask(() => this.#session?.closed(1006));
    this.#answer(undefined);
  }

  deny(status: number, headers: HeaderList, body: Uint8Array | string): void {
    this.#answered = true;
    this.#answer(fetchResponse("GET", status, headers, body));
  }

  /** Bun's own limit would drop the close frame, too, which says why. */
  write(data: string | Uint8Array): WriteStatus {
    const socket = this.#socket;
    if (socket === undefined) return "ok";
    const { maxBackpressure, compression } = this.#settings;
    if (this.#behind && socket.getBufferedAmount() + byteLength(data) > maxBackpressure) return "dropped";
    if (socket.send(data, compression) !== -1) return this.#behind ? "buffered" : "ok";
    this.#behind = true;
    return "buffered";
  }

  /** Not at once: it ends the WebSocket in the middle of the call, which may be one to open it. */
  close(code: number, reason: string): void {
    queueMicrotask(() => this.#socket?.close(code, reason));
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  opened(socket: BunSocket<WebSocketConnection>): void {
    this.#socket = socket;
  }

  message(data: string | Uint8Array): void {
    this.#session?.message(data, byteLength(data));
  }

  drained(): void {
    this.#behind = false;
    this.#session?.drained();
  }

  closed(code: number, reason: string): void {
    this.#socket = undefined;
    this.#session?.closed(code, reason);
  }
}
