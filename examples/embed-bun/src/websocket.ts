import {
  type AcceptOptions,
  type Cancel,
  type Clock,
  encodedLength,
  fetchResponse,
  fetchResponseHeaders,
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

/** Milliseconds that a client may take nothing of the last that it was sent, before it is cut. */
const closeTimeout = 15_000;

export interface WebSocketSettings {
  readonly maxBackpressure: number;
  readonly compression: boolean;
  readonly clock: Clock;
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
  /** How it is to end as soon as the client has taken what waits for it. */
  #closing: { readonly code: number; readonly reason: string } | undefined;
  #cancelCut: Cancel | undefined;

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

  get buffered(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  accept({ subprotocol, headers: list }: AcceptOptions): void {
    this.#answered = true;
    const headers = fetchResponseHeaders(list);
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
    if (this.#behind && socket.getBufferedAmount() + encodedLength(data) > maxBackpressure) return "dropped";
    if (socket.send(data, compression) !== -1) return this.#behind ? "buffered" : "ok";
    this.#behind = true;
    return "buffered";
  }

  /**
   * Not at once: it ends the WebSocket in the middle of the call, which may be one to open it. A client that is behind is
   * to catch up first, as Bun takes the WebSocket for closed from then on.
   */
  close(code: number, reason: string): void {
    this.#closing = { code, reason };
    this.resume();
    if (this.#behind) this.#cutInTime();
    else queueMicrotask(() => this.#socket?.close(code, reason));
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
    this.#session?.message(data, encodedLength(data));
  }

  drained(): void {
    if (this.buffered > 0) return;
    this.#behind = false;
    if (this.#closing === undefined) this.#session?.drained();
    else this.#socket?.close(this.#closing.code, this.#closing.reason);
  }

  /** Unless the client takes some of what waits for it. */
  #cutInTime(): void {
    const waiting = this.buffered;
    this.#cancelCut = this.#settings.clock.after(closeTimeout, () => {
      if (this.buffered < waiting) this.#cutInTime();
      else this.#socket?.terminate();
    });
  }

  closed(code: number, reason: string): void {
    this.#socket = undefined;
    this.#cancelCut?.();
    this.#session?.closed(code, reason);
  }
}
