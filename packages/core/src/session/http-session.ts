import type { App, MaybePromise, ReceiveEvent, Scope, SendEvent } from "../app.js";
import { ClientDisconnected, type DenyConnection, ProtocolError } from "../errors.js";
import type { HttpResponseBodyEvent, HttpResponseStartEvent } from "../events.js";
import type { Cancel } from "../ports/clock.js";
import type { HttpTransport } from "../ports/transport.js";
import { checkResponseHeaders, checkStatus } from "../response-header.js";
import { FlowControl } from "./flow-control.js";
import { Inbox } from "./inbox.js";
import { createReceive } from "./receive.js";
import { contentTooLarge, goingAway, isOutcome, refusal, refusalOf } from "./refusal.js";
import { runApplication } from "./run-application.js";
import type { SessionContext } from "./session-context.js";

const unavailable = (): DenyConnection => refusal(503, "Service Unavailable");

type ResponseState = "none" | "started" | "streaming" | "complete";

/** One HTTP request and its response, between a transport and an application. No method throws. */
export class HttpSession {
  readonly #transport: HttpTransport;
  readonly #context: SessionContext<HttpSession>;
  readonly #inbox: Inbox<ReceiveEvent<"http">>;
  readonly #flow = new FlowControl();
  #response: ResponseState = "none";
  /** Held back until the first body event, as ASGI asks. */
  #start: HttpResponseStartEvent | undefined;
  #clientGone = false;
  /** The response has left, or there is nobody left who would take it. */
  #left = false;
  #returned = false;
  #finished = false;
  #received = 0;
  #requestComplete = false;
  #stopping = false;
  #progressAt = 0;
  #cancelTimeout: Cancel | undefined;
  #abort: AbortController | undefined;

  constructor(transport: HttpTransport, context: SessionContext<HttpSession>) {
    this.#transport = transport;
    this.#context = context;
    this.#inbox = new Inbox(
      { maxEvents: Number.POSITIVE_INFINITY, maxWeight: context.limits.maxInboxBytes },
      transport,
    );
  }

  /** For `scope.signal`. */
  readonly signal = (): AbortSignal => {
    this.#abort ??= new AbortController();
    if (this.#clientGone) this.#abort.abort();
    return this.#abort.signal;
  };

  /** Calls the application. Once, and before any event of the transport's. */
  run(app: App<"http">, scope: Scope<"http">): void {
    if (this.#context.limits.httpTimeout > 0) {
      this.#progressAt = this.#context.clock.now();
      this.#watch(this.#context.limits.httpTimeout);
    }
    runApplication(
      app,
      scope,
      createReceive(this.#inbox),
      this.#send,
      this.#applicationReturned,
      this.#applicationFailed,
    );
  }

  /** A piece of the request body came in; a request without one has a single empty last piece. The session keeps it. */
  data(body: Uint8Array, last: boolean): void {
    if (this.#isOver) return;
    this.#received += body.byteLength;
    if (this.#received > this.#context.limits.maxBodySize) {
      this.#giveUp(contentTooLarge());
      return;
    }
    const roomLeft = this.#inbox.push({ type: "http.request", body, moreBody: !last }, body.byteLength);
    if (!roomLeft && !last) this.#transport.pause();
    this.#requestComplete = last;
    if (this.#stopping) this.shutdown();
  }

  /** The transport has written what it had buffered. */
  drained(): void {
    this.#flow.release();
  }

  /** The operating system has the last byte of a complete response. May come while the transport is asked to send it. */
  sent(): void {
    this.#left = true;
    this.#finish();
  }

  /** The client has gone before it was sent the whole response. */
  aborted(): void {
    this.#left = true;
    if (this.#isOver) {
      this.#finish();
      return;
    }
    this.#clientGone = true;
    this.#abort?.abort();
    this.#over();
  }

  /**
   * The server is going away: an application that has the whole request is told, so that one which waits for news can
   * end. What it still sends goes out.
   */
  shutdown(): void {
    this.#stopping = true;
    if (this.#requestComplete) this.#inbox.end({ type: "http.disconnect" });
  }

  /** The server waits no longer: 503 if the response has not begun, else it is cut. The application is told. */
  giveUp(): void {
    if (!this.#isOver) this.#giveUp(goingAway());
  }

  get #isOver(): boolean {
    return this.#clientGone || this.#response === "complete";
  }

  readonly #send = (event: SendEvent<"http">): MaybePromise<void> => {
    if (this.#clientGone) throw new ClientDisconnected(`the client has gone; "${event.type}" came too late`);
    this.#progressAt = this.#context.limits.httpTimeout > 0 ? this.#context.clock.now() : 0;
    if (event.type === "http.response.start" && this.#response === "none") {
      checkStatus(event.status);
      checkResponseHeaders(event.headers ?? []);
      this.#start = event;
      this.#response = "started";
      return;
    }
    if (event.type === "http.response.body" && (this.#response === "started" || this.#response === "streaming")) {
      return this.#body(event);
    }
    throw new ProtocolError(`expected ${this.#expected()}, got "${event.type}"`);
  };

  #expected(): string {
    switch (this.#response) {
      case "none":
        return '"http.response.start"';
      case "started":
      case "streaming":
        return '"http.response.body"';
      case "complete":
        return "nothing after the last body event";
    }
  }

  #body({ body = "", moreBody = false }: HttpResponseBodyEvent): MaybePromise<void> {
    if (this.#start !== undefined) {
      const { status, headers = [] } = this.#start;
      this.#start = undefined;
      if (!moreBody) {
        this.#transport.respond(status, headers, body);
        this.#complete();
        return;
      }
      this.#response = "streaming";
      this.#transport.start(status, headers);
    }
    const written = body.length > 0 ? this.#transport.write(body) : "ok";
    if (!moreBody) {
      this.#transport.end();
      this.#complete();
      return;
    }
    if (written === "dropped") {
      this.#transport.abort();
      this.aborted();
      throw new ClientDisconnected("the client reads more slowly than the application writes");
    }
    return written === "buffered" ? this.#flow.wait() : undefined;
  }

  #complete(): void {
    this.#response = "complete";
    this.#over();
  }

  /** Nothing more can be sent: the application is told, and whoever waits for the client waits no longer. */
  #over(): void {
    this.#cancelTimeout?.();
    this.#inbox.end({ type: "http.disconnect" });
    this.#flow.release();
    this.#finish();
  }

  readonly #applicationReturned = (): void => {
    if (!this.#isOver && !this.#stopping) {
      this.#applicationFailed(new ProtocolError(`expected ${this.#expected()}, but the application returned`));
      return;
    }
    this.#returned = true;
    this.#inbox.discard();
    this.#endEarly();
    this.#finish();
  };

  readonly #applicationFailed = (error: unknown): void => {
    if (this.#stopping && error instanceof ClientDisconnected) {
      this.#applicationReturned();
      return;
    }
    this.#returned = true;
    this.#inbox.discard();
    if (!isOutcome(error)) this.#context.logger.error({ err: error }, "the application failed on a request");
    this.#breakOff(error);
    this.#finish();
  };

  /** The application has taken the server's going away for the end of what it had to say. */
  #endEarly(): void {
    if (this.#response === "streaming" && !this.#clientGone) {
      this.#transport.end();
      this.#complete();
    } else this.#breakOff(goingAway());
  }

  /** Answers with what `error` means, or cuts the connection where the answer has begun. */
  #breakOff(error: unknown): void {
    if (this.#isOver) return;
    if (this.#response === "streaming") {
      this.#transport.abort();
      this.aborted();
      return;
    }
    const { status, headers, body } = refusalOf(error);
    this.#transport.respond(status, headers, body);
    this.#complete();
  }

  /** Looks again when the time since the last progress would be up, instead of setting a timer anew per event. */
  #watch(ms: number): void {
    this.#cancelTimeout = this.#context.clock.after(ms, () => {
      const idle = this.#context.clock.now() - this.#progressAt;
      if (idle < this.#context.limits.httpTimeout) {
        // Where the clock was set back, nothing has been idle yet.
        this.#watch(this.#context.limits.httpTimeout - Math.max(0, idle));
        return;
      }
      this.#giveUp(unavailable());
      this.#context.logger.warn({}, "the application did not answer a request in time");
    });
  }

  #giveUp(why: DenyConnection): void {
    this.#breakOff(why);
    // What the application still sends comes too late, which is not a wrong order of events.
    this.#clientGone = true;
    this.#abort?.abort();
  }

  #finish(): void {
    if (this.#finished || !this.#returned || !this.#left) return;
    this.#finished = true;
    this.#context.onFinished(this);
  }
}
