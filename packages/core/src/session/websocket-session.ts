import type { App, MaybePromise, ReceiveEvent, Scope, SendEvent } from "../app.js";
import { ClientDisconnected, DenyConnection, InboxFull, ProtocolError, SlowConsumer } from "../errors.js";
import type { WebSocketAcceptEvent, WebSocketCloseEvent } from "../events.js";
import type { Cancel } from "../ports/clock.js";
import type { WebSocketTransport } from "../ports/transport.js";
import { checkResponseHeaders, checkStatus } from "../response-header.js";
import type { HeaderList } from "../scope.js";
import { type ApplicationState, expectedEvents } from "./application-state.js";
import { checkClose } from "./close-code.js";
import { concatenate } from "./concatenate.js";
import { FlowControl } from "./flow-control.js";
import { Inbox } from "./inbox.js";
import { createReceive } from "./receive.js";
import { isOutcome, refusal, refusalOf } from "./refusal.js";
import { runApplication } from "./run-application.js";
import type { SessionContext } from "./session-context.js";

/** The code of RFC 6455 7.1.5 for a connection that ended without a close frame. */
const abnormalClosure = 1006;

/**
 * One WebSocket connection between a transport and an application: keeps the order of ASGI's events, one at a time, and
 * turns whatever happens on either side into what the other must be told. No method throws.
 */
export class WebSocketSession {
  /** When its handshake came in, in milliseconds since 1970. */
  readonly openedAt: number;
  readonly #transport: WebSocketTransport;
  readonly #context: SessionContext<WebSocketSession>;
  readonly #inbox: Inbox<ReceiveEvent<"websocket">>;
  /** From the first time that the client is behind. */
  #flow: FlowControl | undefined;
  #offered: readonly string[] = [];
  #application: ApplicationState = "connecting";
  #denial: { status: number; headers: HeaderList; body: (Uint8Array | string)[] } | undefined;
  /** Set once it is decided how the connection ends. */
  #closing: { readonly code: number; readonly reason: string } | undefined;
  /** The application has been told of the end. What it was sent may still be on its way to the client. */
  #told = false;
  #closed = false;
  #returned = false;
  /** Of the handshake, and after it of what waits for the client. */
  #cancelTimeout: Cancel | undefined;
  /** Bytes that waited for the client when somebody last looked, and whether it has taken any since the timer was set. */
  #waiting = 0;
  #moved = false;
  #abort: AbortController | undefined;

  constructor(transport: WebSocketTransport, context: SessionContext<WebSocketSession>) {
    this.#transport = transport;
    this.#context = context;
    this.openedAt = context.clock.now();
    const { maxInboxMessages, maxInboxBytes } = context.limits;
    this.#inbox = new Inbox({ maxEvents: maxInboxMessages, maxWeight: maxInboxBytes }, transport);
  }

  /** For `scope.signal`. */
  readonly signal = (): AbortSignal => {
    this.#abort ??= new AbortController();
    if (this.#told) this.#abort.abort();
    return this.#abort.signal;
  };

  /** Calls the application. Once, and before any event of the transport's. */
  run(app: App<"websocket">, scope: Scope<"websocket">): void {
    this.#offered = scope.subprotocols;
    this.#inbox.push({ type: "websocket.connect" });
    runApplication(
      app,
      scope,
      createReceive(this.#inbox),
      this.#send,
      this.#applicationReturned,
      this.#applicationFailed,
    );
    // Most are answered by now, and need no timer.
    if (this.#told || (this.#application !== "connecting" && this.#application !== "denying")) return;
    this.#cancelTimeout = this.#context.clock.after(this.#context.limits.handshakeTimeout, () =>
      this.#handshakeTimedOut(),
    );
  }

  /** A whole message came in, `size` bytes long on the wire. The session keeps `data`. */
  message(data: string | Uint8Array, size: number): void {
    if (this.#closing !== undefined || this.#told) return;
    if (size > this.#context.limits.maxMessageSize) {
      this.#end(1009, "message too big");
      return;
    }
    const roomLeft = this.#inbox.push(
      typeof data === "string" ? { type: "websocket.receive", text: data } : { type: "websocket.receive", bytes: data },
      size,
    );
    if (roomLeft) return;
    if (this.#transport.pause !== undefined) {
      this.#transport.pause();
      return;
    }
    this.#inbox.clear();
    this.#context.counts.fullInboxes += 1;
    this.#end(1013, "inbox full");
    this.#context.logger.warn(
      { err: new InboxFull("the application reads more slowly than the client writes") },
      "closed",
    );
  }

  /** What the transport took by `"ok"`, to write it a little later, waits for the client after all. */
  fellBehind(): void {
    if (!this.#told && this.#context.limits.sendTimeout > 0) this.#limitStandstill(this.#context.limits.sendTimeout);
  }

  /** The transport has written what it had buffered. */
  drained(): void {
    if (this.#application === "accepted") this.#stopTimeout();
    this.#flow?.release();
  }

  /**
   * The connection is gone, whoever ended it, and nothing waits for its client any more. `code` is the client's, 1005 if
   * it gave none, 1006 without a close frame; it counts only where the client was first.
   */
  closed(code: number, reason = ""): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tell(code, reason);
    this.#finish();
  }

  /** The server is going away: 1012 for an open connection, 503 for a handshake. */
  shutdown(): void {
    if (this.#told || this.#closing !== undefined) return;
    if (this.#application === "accepted") this.#end(1012, "service restart");
    else this.#deny(refusal(503, "Service Unavailable"));
  }

  /** The maximum lifetime is over: 4408. False for a handshake, which has a time-out of its own. */
  expire(): boolean {
    if (this.#told || this.#closing !== undefined) return true;
    if (this.#application !== "accepted") return false;
    this.#end(4408, "maximum lifetime");
    return true;
  }

  readonly #send = (event: SendEvent<"websocket">): MaybePromise<void> => {
    if (this.#application === "closed") throw this.#unexpected(event);
    if (this.#told || this.#closing !== undefined) {
      throw new ClientDisconnected(`the client has gone; "${event.type}" came too late`);
    }
    switch (event.type) {
      case "websocket.send":
        if (this.#application !== "accepted") throw this.#unexpected(event);
        return this.#write(event.text ?? event.bytes);
      case "websocket.accept":
        if (this.#application !== "connecting") throw this.#unexpected(event);
        return this.#accept(event);
      case "websocket.close":
        return this.#close(event);
      case "websocket.http.response.start":
        if (this.#application !== "connecting") throw this.#unexpected(event);
        checkStatus(event.status);
        checkResponseHeaders(event.headers ?? []);
        this.#denial = { status: event.status, headers: event.headers ?? [], body: [] };
        this.#application = "denying";
        return;
      case "websocket.http.response.body": {
        if (this.#denial === undefined) throw this.#unexpected(event);
        this.#denial.body.push(event.body ?? "");
        if (event.moreBody === true) return;
        const { status, headers, body } = this.#denial;
        this.#application = "closed";
        this.#deny(new DenyConnection({ status, headers, body: concatenate(body) }));
        return;
      }
      default:
        throw this.#unexpected(event);
    }
  };

  #unexpected(event: { readonly type: string }): ProtocolError {
    return new ProtocolError(`expected ${expectedEvents[this.#application]}, got "${event.type}"`);
  }

  #accept({ subprotocol, headers = [] }: WebSocketAcceptEvent): void {
    if (subprotocol !== undefined && !this.#offered.includes(subprotocol)) {
      throw new ProtocolError(
        `expected a subprotocol that the client offered (${this.#offered.length} of them), got ${JSON.stringify(subprotocol)}`,
      );
    }
    checkResponseHeaders(headers);
    const reserved = headers.find(([name]) => name.toLowerCase().startsWith("sec-websocket-"));
    if (reserved !== undefined) {
      throw new ProtocolError(
        `expected the server to set ${reserved[0]}; leave it out, or use the accept event's subprotocol`,
      );
    }
    this.#stopTimeout();
    this.#application = "accepted";
    this.#transport.accept({ subprotocol, headers });
  }

  #write(data: string | Uint8Array): MaybePromise<void> {
    if (typeof data !== "string" && !(data instanceof Uint8Array)) {
      throw new TypeError(`expected a string as text or a Uint8Array as bytes, got ${typeof data}`);
    }
    if (this.#cancelTimeout !== undefined) this.#look();
    switch (this.#transport.write(data)) {
      case "ok":
        return;
      case "buffered":
        if (this.#context.limits.sendTimeout > 0) this.#limitStandstill(this.#context.limits.sendTimeout);
        this.#flow ??= new FlowControl();
        return this.#flow.wait();
      case "dropped": {
        const slow = new SlowConsumer("the client reads more slowly than the application writes");
        this.#endSlow(slow);
        throw slow;
      }
    }
  }

  /** Looks whether the client has taken anything, of which nobody tells until it has taken everything. */
  #limitStandstill(ms: number): void {
    this.#waiting = this.#transport.buffered;
    if (this.#cancelTimeout !== undefined) return;
    this.#moved = false;
    this.#cancelTimeout = this.#context.clock.after(ms, () => {
      this.#cancelTimeout = undefined;
      this.#look();
      if (this.#moved) this.#limitStandstill(ms);
      else this.#endSlow(new SlowConsumer(`expected the client to take some of what waits for it within ${ms} ms`));
    });
  }

  #look(): void {
    this.#moved ||= this.#transport.buffered < this.#waiting;
  }

  #endSlow(slow: SlowConsumer): void {
    this.#context.counts.slowConsumers += 1;
    this.#end(1013, "slow consumer");
    this.#context.logger.warn({ err: slow }, "closed");
  }

  #stopTimeout(): void {
    this.#cancelTimeout?.();
    this.#cancelTimeout = undefined;
  }

  #close({ code = 1000, reason = "" }: WebSocketCloseEvent): void {
    if (this.#application === "denying") throw this.#unexpected({ type: "websocket.close" });
    checkClose(code, reason);
    const isConnecting = this.#application === "connecting";
    this.#application = "closed";
    if (isConnecting) this.#deny(new DenyConnection({ closeCode: code }));
    else this.#end(code, reason);
  }

  #deny({ status, headers, body }: DenyConnection): void {
    this.#closing = { code: abnormalClosure, reason: "" };
    this.#transport.deny(status, headers, body);
    this.closed(abnormalClosure);
  }

  /** The application is told at once, the client as soon as it has taken what waits for it. */
  #end(code: number, reason: string): void {
    this.#closing = { code, reason };
    this.#transport.close(code, reason);
    this.#tell(code, reason);
  }

  #tell(code: number, reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#stopTimeout();
    this.#abort?.abort();
    // Who decided on the end knows its code better than the peer, whose answer may be lost.
    this.#inbox.end({ type: "websocket.disconnect", code, reason, ...this.#closing });
    this.#flow?.release();
  }

  #handshakeTimedOut(): void {
    if (this.#told) return;
    this.#deny(refusal(504, "Gateway Timeout"));
    this.#context.logger.warn({}, "the application neither accepted nor refused a WebSocket in time");
  }

  readonly #applicationReturned = (): void => {
    if (!this.#told && (this.#application === "connecting" || this.#application === "denying")) {
      this.#applicationFailed(
        new ProtocolError(`expected ${expectedEvents[this.#application]}, but the application returned`),
      );
      return;
    }
    this.#returned = true;
    this.#inbox.discard();
    if (this.#told) this.#finish();
    else if (this.#closing === undefined) {
      this.#application = "closed";
      this.#end(1000, "");
    }
  };

  readonly #applicationFailed = (error: unknown): void => {
    this.#returned = true;
    this.#inbox.discard();
    if (!isOutcome(error)) this.#context.logger.error({ err: error }, "the application failed on a WebSocket");
    if (this.#told) this.#finish();
    else if (this.#application === "connecting" || this.#application === "denying") {
      this.#application = "closed";
      this.#deny(refusalOf(error));
    } else if (this.#closing === undefined) this.#end(1011, "internal error");
  };

  #finish(): void {
    if (this.#closed && this.#returned) this.#context.onFinished(this);
  }
}
