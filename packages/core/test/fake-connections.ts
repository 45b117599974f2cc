import type { App } from "../src/app.js";
import type { Clock } from "../src/ports/clock.js";
import type { Logger } from "../src/ports/logger.js";
import type { HttpTransport, RequestHead, WebSocketTransport, WriteStatus } from "../src/ports/transport.js";
import type { HeaderList } from "../src/scope.js";
import type { HttpSession } from "../src/session/http-session.js";
import { ProtocolServer } from "../src/session/protocol-server.js";
import type { WebSocketSession } from "../src/session/websocket-session.js";

/** Time stands still: no timeout of the session's fires. */
const stoppedClock: Clock = { now: () => 0, after: () => () => {} };

/** Keeps what is logged as an error or a warning. */
export class KeptLog implements Logger {
  readonly errors: unknown[] = [];
  readonly warnings: object[] = [];
  debug(): void {}
  info(): void {}
  warn(fields: object): void {
    this.warnings.push(fields);
  }
  error(fields: { readonly err?: unknown }): void {
    this.errors.push(fields.err);
  }
}

/** A client on a WebSocket, and what it has seen. */
export class FakeWebSocket implements WebSocketTransport {
  readonly buffered = 0;
  /** In order: `accepted`, `denied 403`, each message, `closed 1000 reason`. */
  readonly seen: (string | Uint8Array)[] = [];
  readonly log = new KeptLog();
  accepted: { readonly subprotocol: string | undefined; readonly headers: HeaderList } | undefined;
  denied: { readonly status: number; readonly headers: HeaderList; readonly body: Uint8Array | string } | undefined;
  /** What the next writes return. */
  writeStatus: WriteStatus = "ok";
  readonly #server: ProtocolServer;
  readonly #session: WebSocketSession;

  constructor(app: App<"websocket">, head: Partial<RequestHead> = {}) {
    this.#server = new ProtocolServer(app as App, { logger: this.log, clock: stoppedClock });
    const handshake: HeaderList = [
      ["host", "example.com"],
      ["sec-websocket-version", "13"],
      ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ];
    const session = this.#server.openWebSocket(this, {
      ...requestHead,
      ...head,
      headers: [...handshake, ...(head.headers ?? [])],
    });
    if (session === undefined) throw new Error("expected a handshake that the session accepts");
    this.#session = session;
  }

  accept(options: { readonly subprotocol: string | undefined; readonly headers: HeaderList }): void {
    this.accepted = options;
    this.seen.push("accepted");
  }

  deny(status: number, headers: HeaderList, body: Uint8Array | string): void {
    this.denied = { status, headers, body };
    this.seen.push(`denied ${status}`);
  }

  write(data: string | Uint8Array): WriteStatus {
    if (this.writeStatus !== "dropped") this.seen.push(data);
    return this.writeStatus;
  }

  /** The client answers a close frame at once. */
  close(code: number, reason: string): void {
    this.seen.push(`closed ${code} ${reason}`.trim());
    queueMicrotask(() => this.#session.closed(code, reason));
  }

  message(data: string | Uint8Array): void {
    this.#session.message(data, data.length);
  }

  drained(): void {
    this.writeStatus = "ok";
    this.#session.drained();
  }

  leave(code = 1001, reason = ""): void {
    this.#session.closed(code, reason);
  }

  /** True until the client has gone and the application has returned. */
  get running(): boolean {
    return this.#server.connections.websocket > 0;
  }
}

/** A client with an HTTP request, and what it has seen. */
export class FakeRequest implements HttpTransport {
  status: number | undefined;
  headers: HeaderList = [];
  /** Each piece as it was written, as text. */
  readonly pieces: string[] = [];
  readonly log = new KeptLog();
  /** How the response ended: in one piece, as a stream, or cut. */
  outcome: "whole" | "streamed" | "cut" | undefined;
  paused = false;
  writeStatus: WriteStatus = "ok";
  readonly #server: ProtocolServer;
  readonly #session: HttpSession | undefined;

  constructor(app: App<"http">, head: Partial<RequestHead> = {}) {
    this.#server = new ProtocolServer(app as App, { logger: this.log, clock: stoppedClock });
    this.#session = this.#server.openHttp(this, { ...requestHead, ...head });
    if (this.outcome !== undefined) this.#session?.sent();
  }

  /** Sends a piece of the request's body: the last one, unless told otherwise. */
  data(body: string, last = true): this {
    this.#session?.data(new TextEncoder().encode(body), last);
    return this;
  }

  leave(): void {
    this.#session?.aborted();
  }

  drained(): void {
    this.writeStatus = "ok";
    this.#session?.drained();
  }

  respond(status: number, headers: HeaderList, body: Uint8Array | string): void {
    this.start(status, headers);
    this.pieces.push(textOf(body));
    this.outcome = "whole";
    this.#session?.sent();
  }

  start(status: number, headers: HeaderList): void {
    this.status = status;
    this.headers = headers;
  }

  write(chunk: Uint8Array | string): WriteStatus {
    this.pieces.push(textOf(chunk));
    return this.writeStatus;
  }

  end(): void {
    this.outcome = "streamed";
    this.#session?.sent();
  }

  abort(): void {
    this.outcome = "cut";
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  get running(): boolean {
    return this.#server.connections.http > 0;
  }
}

const requestHead: RequestHead = {
  method: "GET",
  rawPath: "/",
  queryString: "",
  httpVersion: "1.1",
  headers: [["host", "example.com"]],
  secure: false,
  client: undefined,
  server: undefined,
};

function textOf(body: Uint8Array | string): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

/** Resolves when every promise that is ready to settle has done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
