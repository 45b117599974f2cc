import type { App, Connection, Scope } from "../app.js";
import { DenyConnection } from "../errors.js";
import { type Clock, systemClock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import type { CloseOptions, ServerCounts } from "../ports/server.js";
import type { HttpTransport, RequestHead, WebSocketTransport } from "../ports/transport.js";
import { Admission } from "./admission.js";
import { Counts } from "./counts.js";
import { drain } from "./drain.js";
import { HttpSession } from "./http-session.js";
import { LifespanSession } from "./lifespan-session.js";
import { Lifetimes } from "./lifetimes.js";
import { checkLimits, type Limits } from "./limits.js";
import { refusal } from "./refusal.js";
import { httpScope, type ScopeSettings, webSocketScope } from "./request-scope.js";
import type { SessionContext } from "./session-context.js";
import { steadyLogger } from "./steady-logger.js";
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
   * Addresses, and ranges such as `"10.0.0.0/8"`, of the proxies in front. What they say of a client (PROXY protocol,
   * `X-Forwarded-For`, `-Proto` and `-Host`, `Forwarded`) is believed; what anybody else says is not. `"unix"` stands
   * for whoever connects to a Unix socket. Where `Forwarded` and `X-Forwarded-*` differ, the request is answered 400: make
   * the proxy remove the kind it does not set. None if left out.
   */
  readonly trustedProxies?: readonly string[];
}

/** Milliseconds the lifespan shutdown has even where connections have used up the deadline. */
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

  /** How many connections have an application running or a client waiting. */
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
    const session = new WebSocketSession(transport, this.#webSocketContext);
    const scope = this.#scope(transport, session, () => webSocketScope(head, this.#settings, session.signal));
    if (scope === undefined) return undefined;
    this.#webSockets.add(session);
    this.#lifetimes.watch();
    session.run(this.#app, scope);
    return session;
  }

  /** Runs the application on a request. Undefined if the request was refused on the spot. */
  openHttp(transport: HttpTransport, head: RequestHead): HttpSession | undefined {
    const session = new HttpSession(transport, this.#httpContext);
    const scope = this.#scope({ deny: transport.respond.bind(transport) }, session, () =>
      httpScope(head, this.#settings, session.signal),
    );
    if (scope === undefined) return undefined;
    this.#requests.add(session);
    session.run(this.#app, scope);
    return session;
  }

  /**
   * Ends every WebSocket, at once or over `drain` milliseconds, lets requests be answered, and waits until the applications have returned or `deadline`
   * milliseconds have passed; then gives up what requests are left and runs the lifespan shutdown, for which there is
   * what is left of the deadline, or a second. The transport has stopped listening before.
   */
  async shutdown({ deadline = 10_000, drain: window = 0 }: CloseOptions = {}): Promise<void> {
    this.#stopping = true;
    const began = this.#clock.now();
    const stopDraining = drain([...this.#webSockets], Math.min(window, deadline), this.#clock);
    if (this.#webSockets.size + this.#requests.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      await this.#within(deadline, idle);
    }
    stopDraining();
    this.#lifetimes.stop();
    const { http, websocket } = this.connections;
    if (http + websocket > 0) this.logger.warn({ http, websocket }, "connections did not end before the deadline");
    for (const session of [...this.#requests]) session.shutdown();
    const left = deadline - (this.#clock.now() - began);
    const finished = await this.#within(Math.max(left, minShutdownTime), this.#lifespan.shutdown());
    if (!finished) this.logger.warn({}, "the application's lifespan did not shut down before the deadline");
  }

  /** True if `work` was done in time; rejects as it does. */
  #within(ms: number, work: Promise<void>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(ms, () => resolve(false));
      work.finally(cancel).then(() => resolve(true), reject);
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
        if (this.#webSockets.size + this.#requests.size === 0) this.#idle?.();
      },
    };
  }

  #scope<Made extends Scope<Connection>>(
    transport: Pick<WebSocketTransport, "deny">,
    session: object,
    make: () => Made,
  ): Made | undefined {
    try {
      if (this.#stopping) throw refusal(503, "Service Unavailable", [["connection", "close"]]);
      const scope = make();
      const open = this.#webSockets.size + this.#requests.size;
      this.#admission.admit(session, scope.client, scope.type === "websocket", open);
      return scope;
    } catch (error) {
      if (!(error instanceof DenyConnection)) throw error;
      transport.deny(error.status, error.headers, error.body);
      return undefined;
    }
  }
}
