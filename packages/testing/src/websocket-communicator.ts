import {
  type AcceptOptions,
  type App,
  type Clock,
  type HeaderList,
  type Limits,
  ProtocolServer,
  systemClock,
  type WebSocketSession,
  type WebSocketTransport,
} from "@sluice/core";
import { only } from "./only.js";
import { Outbox } from "./outbox.js";
import { RecordingLogger } from "./recording-logger.js";
import { type RequestOptions, requestHead } from "./request.js";

export interface WebsocketCommunicatorOptions extends RequestOptions {
  readonly subprotocols?: readonly string[];
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  /** Milliseconds of real time to wait for an answer. */
  readonly timeout?: number;
}

/** How a handshake ended. */
export type Handshake =
  | { readonly connected: true; readonly subprotocol: string | undefined; readonly headers: HeaderList }
  | {
      readonly connected: false;
      readonly status: number;
      readonly headers: HeaderList;
      readonly body: Uint8Array | string;
    };

export interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

type Output =
  | { readonly type: "handshake"; readonly handshake: Handshake }
  | { readonly type: "message"; readonly data: string | Uint8Array }
  | { readonly type: "close"; readonly frame: CloseFrame };

/**
 * A WebSocket client of an application in the same process: no sockets, the same rules. The application runs in the
 * session that every transport drives, so refusals and errors come out as they would on the wire.
 *
 * @example
 * const client = new WebsocketCommunicator(application, "/ws/chat/lobby/", { headers: [["origin", "http://localhost"]] });
 * expect(await client.connect()).toMatchObject({ connected: true });
 * await client.sendJsonTo({ type: "message", text: "hi" });
 * expect(await client.receiveJsonFrom()).toEqual({ text: "hi" });
 * await client.disconnect();
 */
export class WebsocketCommunicator {
  /** What the server logged, the application's failures among it. */
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly #server: ProtocolServer;
  readonly #outbox = new Outbox<Output>();
  readonly #target: string;
  readonly #options: WebsocketCommunicatorOptions;
  #session: WebSocketSession | undefined;
  #closed = false;

  constructor(app: App<"websocket">, target: string, options: WebsocketCommunicatorOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.#server = new ProtocolServer(only("websocket", app), {
      logger: this.logger,
      clock: options.clock ?? systemClock,
      limits: options.limits ?? {},
    });
  }

  /** Opens the connection; resolves when it is accepted or refused. */
  async connect(): Promise<Handshake> {
    const { subprotocols = [], headers = [] } = this.#options;
    const head = requestHead("GET", this.#target, {
      ...this.#options,
      headers: [
        ["sec-websocket-version", "13"],
        ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
        ...(subprotocols.length === 0 ? [] : [["sec-websocket-protocol", subprotocols.join(", ")] as const]),
        ...headers,
      ],
    });
    this.#session = this.#server.openWebSocket(this.#transport(), head);
    const output = await this.#take("the handshake to be accepted or refused");
    if (output.type !== "handshake") throw new Error(`expected the handshake to be answered, got ${output.type}`);
    return output.handshake;
  }

  /** Sends one message: a string as text, bytes as binary. */
  sendTo(data: string | Uint8Array): void {
    const size = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    this.#open().message(data, size);
  }

  sendJsonTo(content: unknown): void {
    this.sendTo(JSON.stringify(content));
  }

  /** The next message. Rejects if the connection closes instead, with the application's own error as the cause. */
  async receiveFrom(): Promise<string | Uint8Array> {
    const output = await this.#take("a message");
    if (output.type === "message") return output.data;
    throw this.#unexpected("a message", output);
  }

  async receiveJsonFrom(): Promise<unknown> {
    const data = await this.receiveFrom();
    if (typeof data !== "string") throw new Error(`expected a text message, got ${data.byteLength} bytes of binary`);
    return JSON.parse(data);
  }

  /** The close frame. Rejects if a message comes first. */
  async receiveClose(): Promise<CloseFrame> {
    const output = await this.#take("a close frame");
    if (output.type === "close") return output.frame;
    throw this.#unexpected("a close frame", output);
  }

  /** True if nothing comes within `ms` milliseconds of real time. */
  receiveNothing(ms = 50): Promise<boolean> {
    return this.#outbox.staysEmpty(ms);
  }

  /** Leaves, and resolves when the application has returned. */
  async disconnect(code = 1000, reason = ""): Promise<void> {
    this.#leave(code, reason);
    await this.#server.shutdown({ deadline: this.#timeout });
    if (this.#server.connections.websocket > 0) {
      throw new Error(`expected the application to return within ${this.#timeout} ms of the disconnect event`);
    }
  }

  get #timeout(): number {
    return this.#options.timeout ?? 1_000;
  }

  #open(): WebSocketSession {
    if (this.#session === undefined) throw new Error("expected connect() to have been called, and not refused");
    return this.#session;
  }

  #take(expected: string): Promise<Output> {
    return this.#outbox.take(expected, this.#timeout);
  }

  #leave(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#session?.closed(code, reason);
    this.#outbox.end(() => new Error("expected the connection to be open, but it has ended"));
  }

  #unexpected(expected: string, output: Output): Error {
    const came = output.type === "close" ? `close ${output.frame.code} "${output.frame.reason}"` : output.type;
    return new Error(`expected ${expected}, got ${came}`, { cause: this.logger.errors.at(-1) });
  }

  #transport(): WebSocketTransport {
    const put = (output: Output) => this.#outbox.put(output);
    return {
      accept: ({ subprotocol, headers }: AcceptOptions) =>
        put({ type: "handshake", handshake: { connected: true, subprotocol, headers } }),
      deny: (status, headers, body) =>
        put({ type: "handshake", handshake: { connected: false, status, headers, body } }),
      write: (data) => {
        put({ type: "message", data });
        return "ok";
      },
      close: (code, reason) => {
        put({ type: "close", frame: { code, reason } });
        // The peer answers a close frame, but never within the call that sent it.
        queueMicrotask(() => this.#leave(code, reason));
      },
    };
  }
}
