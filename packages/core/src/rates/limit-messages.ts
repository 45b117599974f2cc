import type { App, Connection, MaybePromise, Receive, ReceiveEvent, Scope, Send } from "../app.js";
import { SecurityReports } from "../auth/security-reports.js";
import { type Middleware, middleware } from "../middleware.js";
import { type Clock, systemClock } from "../ports/clock.js";
import type { OnSecurityEvent } from "../ports/security-events.js";
import { checkRange } from "../session/check-range.js";
import { quietly } from "../session/quietly.js";
import { filtered } from "../session/receive.js";
import { SharedBuckets } from "./shared-buckets.js";
import { TokenBucket } from "./token-bucket.js";

export interface MessageLimit<Needs extends object = {}> {
  /** Messages that a client may send in every second, on and on: 1 to 1,000,000. */
  readonly perSecond: number;
  /** Messages that it may send at once after a silence: 1 to 1,000,000; twice `perSecond` if left out. */
  readonly burst?: number | undefined;
  /**
   * Whose connections count together, in this process: a user's id. Asked when a connection comes, and not when it is renewed. Without it, and for
   * undefined, each connection counts for itself: also where it becomes somebody's later, by a renewal.
   */
  readonly by?: ((scope: Scope<"websocket"> & Needs) => string | undefined) | undefined;
  /** Told of each connection that is closed for it. */
  readonly onExceeded?: ((scope: Scope<"websocket"> & Needs) => void) | undefined;
  /** Told of it, too. */
  readonly onSecurityEvent?: OnSecurityEvent | undefined;
  readonly clock?: Clock | undefined;
}

const most = 1_000_000;

/**
 * Middleware that bounds how fast a client may send, by a token bucket. A WebSocket that is faster is closed with 4429
 * and told `"too many messages"`; the message that was too much, and those behind it, never reach the application. HTTP
 * passes.
 *
 * `Limits.maxInboxMessages` bounds something else: what a client may send ahead of an application that is busy.
 *
 * Throws `ConfigurationError` for a number out of range.
 *
 * @example
 * const each = limitMessages({ perSecond: 20 });
 * const together = limitMessages({ perSecond: 50, by: ({ user }: MaybeAuthenticated) => user.isAuthenticated ? user.id : undefined });
 * TokenAuth(each(together(chat)), { verifier, from: [fromHeader()] });
 */
export function limitMessages<Needs extends object = {}>(options: MessageLimit<Needs>): Middleware<Needs> {
  const { perSecond, burst = Math.min(2 * perSecond, most), by, clock = systemClock } = options;
  checkRange("perSecond", perSecond, 1, most);
  checkRange("burst", burst, 1, most);
  const rate = { perSecond, burst };
  const shared = new SharedBuckets(rate, clock);
  const reports = SecurityReports.to(options.onSecurityEvent);

  return middleware<Needs>((inner) => (scope, receive, send) => {
    if (scope.type !== "websocket") return inner(scope, receive, send);
    const socket = scope as Scope<"websocket"> & typeof scope;
    const name = by?.(socket);
    const bucket = name === undefined ? new TokenBucket(rate, clock.now()) : shared.hold(name);
    const metered = new MeteredConnection(bucket, clock, send, () => {
      options.onExceeded?.(socket);
      reports?.limit(socket, "messages");
    });
    const run = (): MaybePromise<void> => metered.run(inner, scope, receive);
    return name === undefined ? run() : releasing(run, () => shared.release(name));
  });
}

async function releasing(run: () => MaybePromise<void>, release: () => void): Promise<void> {
  try {
    await run();
  } finally {
    release();
  }
}

/** A connection whose messages are counted. What the application sends after the end is dropped. */
class MeteredConnection {
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  readonly #send: Send<Connection>;
  readonly #exceeded: () => void;
  #ended = false;

  constructor(bucket: TokenBucket, clock: Clock, send: Send<Connection>, exceeded: () => void) {
    this.#bucket = bucket;
    this.#clock = clock;
    this.#send = send;
    this.#exceeded = exceeded;
  }

  run<P extends Connection, Needs extends object>(
    inner: App<P, Needs>,
    scope: Scope<P> & Needs,
    receive: Receive<P>,
  ): MaybePromise<void> {
    return inner(
      scope,
      filtered(receive, (event) => this.#lets(event)),
      (event) => (this.#ended ? undefined : this.#send(event)),
    );
  }

  #lets({ type }: ReceiveEvent<Connection>): boolean {
    if (type !== "websocket.receive") return true;
    if (this.#ended) return false;
    if (this.#bucket.take(this.#clock.now())) return true;
    this.#ended = true;
    quietly(() => this.#send({ type: "websocket.close", code: 4429, reason: "too many messages" }));
    this.#exceeded();
    return false;
  }
}
