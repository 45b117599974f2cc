import {
  type AcceptOptions,
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
import type { DenoRuntime } from "./native.js";

declare const Deno: DenoRuntime;

/** Milliseconds between two looks at what waits for a slow client: nobody tells when it has caught up. */
const lookInterval = 5;

/** Milliseconds that a client may take nothing of the last that it was sent, before nobody waits for it any more. */
const closeTimeout = 15_000;

export interface WebSocketSettings {
  readonly maxBackpressure: number;
  /** Seconds. */
  readonly idleTimeout: number;
  readonly clock: Clock;
}

/** One WebSocket, from its handshake on. */
export class WebSocketConnection implements WebSocketTransport {
  readonly #request: Request;
  readonly #answer: (response: Response) => void;
  readonly #settings: WebSocketSettings;
  readonly #open: Set<WebSocketConnection>;
  #answered = false;
  #session: WebSocketSession | undefined;
  #socket: WebSocket | undefined;
  /** What is to be done once the WebSocket is open, which is a while after it was accepted. */
  #early: (() => void)[] = [];
  #earlyBytes = 0;
  #looking = false;
  /** A message has come since this was set to false. */
  #lively = false;

  /** It is in `open` from its acceptance to its end. */
  constructor(
    request: Request,
    answer: (response: Response) => void,
    settings: WebSocketSettings,
    open: Set<WebSocketConnection>,
  ) {
    this.#request = request;
    this.#answer = answer;
    this.#settings = settings;
    this.#open = open;
  }

  open(server: ProtocolServer, head: RequestHead): void {
    this.#session = server.openWebSocket(this, head);
    this.#request.signal.addEventListener("abort", () => {
      // It aborts when the request has been answered, too.
      if (!this.#answered) this.#session?.closed(1006);
    });
  }

  get buffered(): number {
    return this.#earlyBytes + (this.#socket?.bufferedAmount ?? 0);
  }

  accept(options: AcceptOptions): void {
    this.#answered = true;
    try {
      this.#upgrade(options);
    } catch {
      // The client has gone, and Deno is about to say so.
      queueMicrotask(() => this.#session?.closed(1006));
    }
  }

  #upgrade({ subprotocol, headers }: AcceptOptions): void {
    const { socket, response } = Deno.upgradeWebSocket(this.#request, { idleTimeout: this.#settings.idleTimeout });
    // Not by Deno's own option, which knows no list of subprotocols without a space after its commas.
    if (subprotocol !== undefined) response.headers.set("sec-websocket-protocol", subprotocol);
    for (const [name, value] of fetchResponseHeaders(headers)) response.headers.append(name, value);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.#message(data);
    socket.onerror = () => this.#closed({ code: 1006, reason: "", wasClean: false });
    socket.onclose = (event) => this.#closed(event);
    this.#open.add(this);
    this.#socket = socket;
    this.#answer(response);
  }

  deny(status: number, headers: HeaderList, body: Uint8Array | string): void {
    this.#answered = true;
    this.#answer(fetchResponse("GET", status, headers, body));
  }

  write(data: string | Uint8Array): WriteStatus {
    const socket = this.#socket;
    if (socket === undefined) return "ok";
    const bytes = encodedLength(data);
    // A copy, as Deno makes none and it waits.
    const message = typeof data === "string" ? data : new Uint8Array(data);
    const waiting = this.buffered;
    if (waiting > 0 && waiting + bytes > this.#settings.maxBackpressure) return "dropped";
    if (socket.readyState === socket.CONNECTING) {
      this.#earlyBytes += bytes;
      this.#early.push(() => socket.send(message));
    } else {
      socket.send(message);
    }
    // Half of what may wait, as even a fast client's messages wait until this turn is over.
    if (this.buffered < this.#settings.maxBackpressure / 2) return "ok";
    this.#look();
    return "buffered";
  }

  /** Reports the end as well: the client's answer may never come. */
  close(code: number, reason: string): void {
    const socket = this.#socket;
    const close = (): void => {
      socket?.close(code, reason);
      queueMicrotask(() => this.#session?.closed(code, reason));
    };
    const end = (): void => this.#whenTaken(() => this.#whenQuiet(close, 20));
    if (socket?.readyState === socket?.CONNECTING) this.#early.push(end);
    else end();
  }

  /** Deno tells nothing more of what waits once the WebSocket is being closed. Gives up when nothing is taken for long. */
  #whenTaken(act: () => void, before = Number.POSITIVE_INFINITY, since = 0): void {
    const waiting = this.buffered;
    const now = this.#settings.clock.now();
    const movedAt = waiting < before ? now : since;
    if (waiting === 0 || now - movedAt >= closeTimeout) act();
    else setTimeout(() => this.#whenTaken(act, waiting, movedAt), lookInterval);
  }

  /** A message that comes before the client's answer makes Deno forget the close frame. */
  #whenQuiet(act: () => void, looks: number): void {
    if (!this.#lively || looks === 0) {
      act();
      return;
    }
    this.#lively = false;
    setTimeout(() => this.#whenQuiet(act, looks - 1), lookInterval);
  }

  #opened(): void {
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const act of early) act();
  }

  /** Where no close frame came it says 0, or 1001 after a ping without an answer. */
  #closed({ code, reason, wasClean }: Pick<CloseEvent, "code" | "reason" | "wasClean">): void {
    this.#open.delete(this);
    this.#session?.closed(wasClean ? code : 1006, wasClean ? reason : "");
  }

  #message(data: string | ArrayBuffer): void {
    this.#lively = true;
    if (typeof data === "string") this.#session?.message(data, encodedLength(data));
    else this.#session?.message(new Uint8Array(data), data.byteLength);
  }

  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    setTimeout(() => {
      this.#looking = false;
      if (this.buffered > 0) this.#look();
      else this.#session?.drained();
    }, lookInterval);
  }
}
