import type { App, Connection, MaybePromise, Receive, Scope, Send, SendEvent } from "../app.js";
import type { HttpResponseStartEvent } from "../events.js";
import type { Lease, LeaseEnd } from "../leases/lease.js";
import type { Leases } from "../leases/leases.js";
import type { Grant } from "../ports/token-verifier.js";
import { checkResponseHeaders, checkStatus } from "../response-header.js";
import { quietly } from "../session/quietly.js";
import { filtered } from "../session/receive.js";

export interface LeasedConnectionOptions {
  readonly leases: Leases;
  /** Undefined for one of nobody in particular, which has no lease until it is renewed or told to `hold` one. */
  readonly grant: Grant | undefined;
  /** When the verification of the token began, by the clock of the leases. */
  readonly since: number;
  readonly type: Connection;
  readonly send: Send<Connection>;
  /** Answers a connection that is not open yet as it does one with an invalid token. Left out for one that is. */
  readonly refuse?: () => MaybePromise<void>;
}

/**
 * The connection of a user, between the application and the server: it has a lease from the moment it is open, and ends
 * with it; an anonymous one has its lease from the moment it is somebody's. What the application sends after the end is
 * dropped, and so is what the client has sent and nobody has read.
 */
export class LeasedConnection {
  readonly #options: LeasedConnectionOptions;
  #grant: Grant | undefined;
  #since: number;
  #begun = false;
  #lease: Lease | undefined;
  /** Held back until the first body event: until then there can still be another answer. */
  #start: HttpResponseStartEvent | undefined;
  /** Over once either side has closed it, ended by its lease, or returned from by the application. */
  #state: "open" | "over" | "ended" | "returned" = "open";

  constructor(options: LeasedConnectionOptions) {
    this.#options = options;
    this.#grant = options.grant;
    this.#since = options.since;
  }

  /** True from the moment that the connection is open. */
  get begun(): boolean {
    return this.#begun;
  }

  /** The connection is on this grant from now on, or nobody's: somebody has logged in or out on it. */
  hold(grant: Grant | undefined, since: number): void {
    if (this.#state !== "open") return;
    this.#lease?.release();
    this.#lease = undefined;
    this.#grant = grant;
    this.#since = since;
    const ended = this.#begun ? this.#take() : undefined;
    if (ended !== undefined) this.#end(ended);
  }

  /** Calls the application, whose return ends the lease. */
  run<P extends Connection, Needs extends object>(
    inner: App<P, Needs>,
    scope: Scope<P> & Needs,
    receive: Receive<P>,
    send: Send<P>,
  ): MaybePromise<void> {
    let running: MaybePromise<void>;
    try {
      running = inner(
        scope,
        filtered(receive, (event) => this.#hears(event)),
        send,
      );
    } catch (error) {
      return this.#fail(error);
    }
    // Not an async function: while it waits its frame is in memory, which is for as long as the connection is open.
    if (!(running instanceof Promise)) return this.#complete();
    return running.then(
      () => this.#complete(),
      (error: unknown) => this.#fail(error),
    );
  }

  /** The connection is open. False if the credential is no good any more. */
  begin(): boolean {
    this.#begun = true;
    if (this.#take() === undefined) return true;
    this.#state = "ended";
    return false;
  }

  /**
   * Another grant takes the place of the one it is on, or is the first. False, with nothing changed, where that grant is no
   * good any more or the connection is over. `since` is when the verification of its token began.
   */
  renew(grant: Grant, since: number): boolean {
    if (this.#state !== "open") return false;
    if (this.#lease !== undefined) return this.#lease.renew(grant, since);
    if (this.#begun) return this.#identify(grant, since);
    this.#grant = grant;
    this.#since = since;
    return true;
  }

  /** What the application sends by. */
  readonly send: Send<Connection> = (event) => {
    if (this.#state === "ended") return;
    if (this.#state === "returned") return this.#options.send(event);
    switch (event.type) {
      case "websocket.accept":
        return this.begin() ? this.#options.send(event) : this.#options.refuse?.();
      case "http.response.start":
        return this.#respond(event);
      case "http.response.body":
        return event.moreBody === true ? this.#pass(event) : this.#passLast(event);
      case "websocket.close":
        return this.#passLast(event);
      default:
        return this.#options.send(event);
    }
  };

  /** Takes the lease on the grant, if there is one to be had. Says why not. */
  #take(): LeaseEnd | undefined {
    if (this.#grant === undefined) return undefined;
    this.#lease ??= this.#options.leases.begin(this.#grant, this.#since, (reason) => this.#end(reason));
    return this.#lease.ended;
  }

  #hears({ type }: { readonly type: string }): boolean {
    // Not of a request: when the server goes away, what is still sent goes out.
    if (type === "websocket.disconnect") this.#release();
    return this.#state !== "ended" || (type !== "websocket.receive" && type !== "http.request");
  }

  async #complete(): Promise<void> {
    try {
      if (this.#start !== undefined && this.#state === "open") await this.#options.send(this.#start);
    } finally {
      this.#leave();
    }
  }

  #fail(error: unknown): never {
    this.#leave();
    throw error;
  }

  #leave(): void {
    this.#release();
    if (this.#state !== "ended") this.#state = "returned";
  }

  #respond(event: HttpResponseStartEvent): MaybePromise<void> {
    // One that is out of order is the session's to refuse.
    if (this.#begun) return this.#pass(event);
    checkStatus(event.status);
    checkResponseHeaders(event.headers ?? []);
    if (!this.begin()) return this.#options.refuse?.();
    this.#start = event;
  }

  /** Sends an event, behind the start of the response if that was held back. */
  #pass(event: SendEvent<Connection>): MaybePromise<void> {
    const { send } = this.#options;
    const start = this.#start;
    if (start === undefined) return send(event);
    this.#start = undefined;
    const begun = send(start);
    return begun instanceof Promise ? begun.then(() => send(event)) : send(event);
  }

  #passLast(event: SendEvent<Connection>): MaybePromise<void> {
    const sent = this.#pass(event);
    this.#release();
    return sent;
  }

  /** The open connection of nobody in particular is somebody's. */
  #identify(grant: Grant, since: number): boolean {
    const lease = this.#options.leases.begin(grant, since, (reason) => this.#end(reason));
    if (lease.ended !== undefined) return false;
    this.#lease = lease;
    return true;
  }

  #release(): void {
    if (this.#state === "open") this.#state = "over";
    this.#lease?.release();
  }

  #end(reason: LeaseEnd): void {
    const { send, refuse, type } = this.#options;
    this.#state = "ended";
    if (type === "websocket") quietly(() => send({ type: "websocket.close", code: 4401, reason }));
    else if (this.#start !== undefined) quietly(() => refuse?.());
    else quietly(() => send({ type: "http.response.body" }));
  }
}
