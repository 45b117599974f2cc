import type { MaybePromise, ReceiveEvent, Scope, Send, SendEvent } from "../app.js";
import type { MaybeAuthenticated } from "../auth/authenticated.js";
import { Refusal } from "../auth/verdict.js";
import { AcceptConnection, DenyConnection, ProtocolError, RouteNotFound } from "../errors.js";
import { isOutcome } from "../session/refusal.js";
import type { ConsumerContext } from "./consumer.js";
import { ConsumerRun, type ConsumerSetup } from "./consumer-run.js";
import type { WebsocketConsumer } from "./websocket-consumer.js";

/** The life of a {@link WebsocketConsumer}. */
export class WebSocketRun extends ConsumerRun<"websocket"> {
  protected readonly consumer: WebsocketConsumer;
  #accepted = false;
  /** What `disconnect` will be told; without anything better, that no close frame was seen (RFC 6455 7.1.5). */
  #code = 1006;
  #reason = "";

  constructor(
    setup: ConsumerSetup,
    consumer: new (context: ConsumerContext<"websocket">) => WebsocketConsumer,
    scope: Scope<"websocket">,
    send: Send<"websocket">,
  ) {
    super(setup, scope, send);
    this.consumer = new consumer(this);
  }

  override emit(event: SendEvent<"websocket">): MaybePromise<void> {
    const sent = super.emit(event);
    if (event.type === "websocket.accept") this.#accepted = true;
    else if (event.type === "websocket.close" && !this.ended) {
      this.ended = true;
      if (this.#accepted) this.#endsWith(event.code ?? 1000, event.reason ?? "");
    }
    return sent;
  }

  protected dispatch(event: ReceiveEvent<"websocket">): MaybePromise<void> {
    switch (event.type) {
      case "websocket.receive":
        return this.ended ? undefined : this.consumer.receive(event.text ?? event.bytes);
      case "websocket.connect": {
        try {
          return this.#connect();
        } finally {
          this.listen();
        }
      }
      case "websocket.disconnect":
        this.ended = true;
        this.#endsWith(event.code, event.reason);
    }
  }

  /** A refusal is for the client to hear. Before accept it is the answer to the handshake, which is the session's to give. */
  protected override recover(error: unknown): MaybePromise<void> {
    if (!(error instanceof Refusal) || !this.#accepted) throw error;
    // One that another refusal is behind was put off, by somebody who tells of that.
    if (!(error.cause instanceof DenyConnection)) this.#tellOf(error);
    return this.ended ? undefined : this.consumer.refused(error);
  }

  #tellOf(refusal: Refusal): void {
    const scope: Scope<"websocket"> & Partial<MaybeAuthenticated> = this.scope;
    this.reports?.refused(scope, refusal, scope.grant);
    if (refusal.status >= 500) this.logger.error({ err: refusal }, "a credential could not be renewed");
  }

  protected stopped(): MaybePromise<void> {
    // What the session would make of the application's return, except that a handshake in the air is refused.
    return this.emit({ type: "websocket.close" });
  }

  protected failed(error: unknown): unknown {
    const thrown = this.#misplaced(error) ?? error;
    const refused = !this.#accepted && (thrown instanceof DenyConnection || isOutcome(thrown));
    if (!this.ended && !refused) this.#endsWith(1011, "internal error");
    return thrown;
  }

  protected disconnect(): MaybePromise<void> {
    return this.consumer.disconnect(this.#code, this.#reason);
  }

  #endsWith(code: number, reason: string): void {
    this.#code = code;
    this.#reason = reason;
  }

  #connect(): MaybePromise<void> {
    try {
      const connected = this.consumer.connect();
      return connected instanceof Promise ? connected.catch((error: unknown) => this.#acceptIfAsked(error)) : undefined;
    } catch (error) {
      return this.#acceptIfAsked(error);
    }
  }

  #acceptIfAsked(error: unknown): MaybePromise<void> {
    if (!(error instanceof AcceptConnection)) throw error;
    return this.emit({ ...error.accept, type: "websocket.accept" });
  }

  #misplaced(error: unknown): ProtocolError | undefined {
    if (error instanceof AcceptConnection) {
      return new ProtocolError("expected AcceptConnection to be thrown in connect() only", { cause: error });
    }
    if (this.#accepted && (error instanceof DenyConnection || error instanceof RouteNotFound)) {
      const message = `expected ${error.name} before accept only; after it call close(code, reason)`;
      return new ProtocolError(message, { cause: error });
    }
    return undefined;
  }
}
