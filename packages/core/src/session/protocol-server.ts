import type { App } from "../app.js";
import { DenyConnection } from "../errors.js";
import { type Clock, systemClock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import type { CloseOptions, ServerCounts } from "../ports/server.js";
import { steadyLogger } from "../ports/steady-logger.js";
import type { HttpTransport, RequestHead, WebSocketTransport } from "../ports/transport.js";
import { Admission } from "./admission.js";
import { checkCloseOptions } from "./close-options.js";
import { Counts } from "./counts.js";
import { drain } from "./drain.js";
import { HttpSession } from "./http-session.js";
import { LifespanSession } from "./lifespan-session.js";
import { Lifetimes } from "./lifetimes.js";
import { checkLimits, type Limits } from "./limits.js";
import { goingAway } from "./refusal.js";
import { httpScope, type ScopeSettings, webSocketScope } from "./request-scope.js";
import type { SessionContext } from "./session-context.js";
import { TrustedProxies } from "./trusted-proxies.js";
import { WebSocketSession } from "./websocket-session.js";

export interface ProtocolServerOptions {
  /** Told what no client is told: failures of the application, with their cause. What it throws is ignored. */
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  /** Where the application is mounted, without a trailing slash. */
  readonly rootPath?: string;
  /**
   * Addresses, and ranges such as `"10.0.0.0/8"`, of the proxies in front. `"unix"` stands for whoever connects to a
   * Unix socket. None if left out.
   *
   * What anybody else says of a client is not believed. Of a request that one of these has sent are believed: the
   * address of the PROXY protocol; in `Forwarded` or `X-Forwarded-For` the last address that is no trusted proxy's; in
   * `Forwarded` the protocol and the host beside that address; and the last entry of `X-Forwarded-Proto` and `-Host`. If
   * one of these two lists several, it has to have an entry per address, all the same from the client's on.
   * `Forwarded` and `X-Forwarded-*` on one request have to say the same, all of it. What does not hold, or makes no sense,
   * is answered 400.
   *
   * So a proxy has to overwrite or remove every one of these headers that its clients could send, also those that it
   * does not set itself: one that sets `X-Forwarded-For` only and hands on what comes as `X-Forwarded-Proto`,
   * `X-Forwarded-Host` or `Forwarded` lets its clients say that they came over TLS, and to which host.
   */
  readonly trustedProxies?: readonly string[];
}

/** Milliseconds before the deadline that the applications of given up requests have, and the lifespan shutdown in any case. */
const minShutdownTime = 1_000;

/**
 * The half of a server that knows the protocol and not the sockets: a transport hands it requests, it runs the
 * application on them. ASGI calls the whole a protocol server.
 */
export class ProtocolServer {
  readonly limits: Limits;
  readonly #app: App;
  readonly #clock: Clock;
  readonly logger: Logger;
  readonly #counts = new Counts();
  readonly #lifespan = new LifespanSession();
  readonly #settings: ScopeSettings;
  readonly #webSockets = new Set<WebSocketSession>();
  readonly #requests = new Set<HttpSession>();
  readonly #webSocketContext: SessionContext<WebSocketSession>;
  readonly #httpContext: SessionContext<HttpSession>;
  readonly #admission: Admission;
  readonly #lifetimes: Lifetimes;
  #idle: (() => void) | undefined;
  #stopping = false;

  /** Throws `ConfigurationError` for a limit out of its range and for a proxy that is no address. */
  constructor(app: App, options: ProtocolServerOptions) {
    this.#app = app;
    this.#clock = options.clock ?? systemClock;
    this.logger = steadyLogger(options.logger);
    this.limits = checkLimits(options.limits);
    this.#webSocketContext = this.#contextOf(this.#webSockets);
    this.#httpContext = this.#contextOf(this.#requests);
    this.#admission = new Admission(this.#webSocketContext);
    this.#lifetimes = new Lifetimes(this.#webSockets, this.#webSocketContext);
    const { rootPath = "", trustedProxies = [] } = options;
    this.#settings = {
      rootPath,
      state: this.#lifespan.state,
      limits: this.limits,
      proxies: trustedProxies.length > 0 ? new TrustedProxies(trustedProxies) : undefined,
    };
  }

  /** How many connections have an application running or something that their client has yet to take. */
  get connections(): { readonly http: number; readonly websocket: number } {
    return { http: this.#requests.size, websocket: this.#webSockets.size };
  }

  get counts(): ServerCounts {
    return this.#counts;
  }

  /** Runs the application's lifespan start-up. Rejects with why it failed. */
  startup(): Promise<void> {
    return this.#lifespan.startup(this.#app);
  }

  /** Runs the application on a handshake. Undefined if the request was refused on the spot. */
  openWebSocket(transport: WebSocketTransport, head: RequestHead): WebSocketSession | undefined {
    try {
      this.#checkRoom();
      const session = new WebSocketSession(transport, this.#webSocketContext);
      const scope = webSocketScope(head, this.#settings, session.signal);
      this.#admission.admit(session, scope.client, true);
      this.#webSockets.add(session);
      this.#lifetimes.watch();
      session.run(this.#app, scope);
      return session;
    } catch (error) {
      const { status, headers, body } = denialOf(error);
      transport.deny(status, headers, body);
      return undefined;
    }
  }

  /** Runs the application on a request. Undefined if the request was refused on the spot. */
  openHttp(transport: HttpTransport, head: RequestHead): HttpSession | undefined {
    try {
      this.#checkRoom();
      const session = new HttpSession(transport, this.#httpContext);
      const scope = httpScope(head, this.#settings, session.signal);
      this.#admission.admit(session, scope.client, false);
      this.#requests.add(session);
      session.run(this.#app, scope);
      return session;
    } catch (error) {
      const { status, headers, body } = denialOf(error);
      transport.respond(status, headers, body);
      return undefined;
    }
  }

  /**
   * Ends every WebSocket and tells the applications of requests that the server goes away, at once or over `drain`
   * milliseconds. Waits until the applications have returned and the clients have all they were sent, until `deadline`.
   * What requests are left a second before that are given up, so that their applications can clean up. Then runs the
   * lifespan shutdown, for which there is what is left of the deadline, or a second. The transport has stopped listening
   * before. Rejects with `ConfigurationError` for an option out of range, and with what the lifespan shutdown does.
   */
  async shutdown(options?: CloseOptions): Promise<void> {
    const { deadline, drain: window } = checkCloseOptions(options);
    this.#stopping = true;
    const began = this.#clock.now();
    const left = (): number => deadline - Math.max(0, this.#clock.now() - began);
    const spread = Math.min(window, deadline);
    const drains = [this.#webSockets, this.#requests].map((sessions) => drain([...sessions], spread, this.#clock));
    const idle = this.#whenIdle();
    if (!(await this.#within(deadline - minShutdownTime, idle))) {
      this.#giveUpRequests();
      await this.#within(left(), idle);
    }
    for (const stop of drains) stop();
    this.#lifetimes.stop();
    for (const session of [...this.#webSockets]) session.shutdown();
    const { http, websocket } = this.connections;
    if (http + websocket > 0) this.logger.warn({ http, websocket }, "connections did not end before the deadline");
    const finished = await this.#within(Math.max(left(), minShutdownTime), this.#lifespan.shutdown());
    if (!finished) this.logger.warn({}, "the application's lifespan did not shut down before the deadline");
  }

  /** Resolves when nobody is being served. */
  #whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#open === 0) resolve();
      else this.#idle = resolve;
    });
  }

  #giveUpRequests(): void {
    const http = this.#requests.size;
    if (http === 0) return;
    this.logger.warn({ http }, "requests were given up, to leave their applications time before the deadline");
    for (const session of [...this.#requests]) session.giveUp();
  }

  /** True if `work` was done in time, which may be infinite; rejects as it does. */
  #within(ms: number, work: Promise<void>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const cancel =
        ms < Number.POSITIVE_INFINITY ? this.#clock.after(Math.max(0, ms), () => resolve(false)) : undefined;
      work.finally(() => cancel?.()).then(() => resolve(true), reject);
    });
  }

  #contextOf<Session extends object>(sessions: Set<Session>): SessionContext<Session> {
    return {
      clock: this.#clock,
      logger: this.logger,
      limits: this.limits,
      counts: this.#counts,
      onFinished: (session) => {
        sessions.delete(session);
        this.#admission.release(session);
        if (this.#open === 0) this.#idle?.();
      },
    };
  }

  get #open(): number {
    return this.#webSockets.size + this.#requests.size;
  }

  /** Before anything is made for a connection. Throws `DenyConnection` where it is one too many. */
  #checkRoom(): void {
    if (this.#stopping) throw goingAway();
    this.#admission.checkRoom(this.#open);
  }
}

function denialOf(error: unknown): DenyConnection {
  if (error instanceof DenyConnection) return error;
  throw error;
}
