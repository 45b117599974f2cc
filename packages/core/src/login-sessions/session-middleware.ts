import type { App, Connection, MaybePromise, Scope, Send, SendEvent } from "../app.js";
import { SecurityReports } from "../auth/security-reports.js";
import type { WithCookies } from "../cookies/cookie-middleware.js";
import { type Middleware, middleware } from "../middleware.js";
import { type Clock, systemClock } from "../ports/clock.js";
import { type Logger, silentLogger } from "../ports/logger.js";
import type { OnSecurityEvent } from "../ports/security-events.js";
import type { SessionStore } from "../ports/session-store.js";
import { steadyLogger } from "../ports/steady-logger.js";
import { growScope, type HeaderList } from "../scope.js";
import { checkRange } from "../session/check-range.js";
import { type CrossSiteOptions, crossSiteCheck } from "./cross-site.js";
import { LoginSession } from "./login-session.js";
import { lookUp } from "./look-up.js";
import { SessionCookie, type SessionCookieOptions } from "./session-cookie.js";
import { SessionRecords } from "./session-records.js";

export interface SessionOptions extends CrossSiteOptions, SessionCookieOptions {
  readonly store: SessionStore;
  readonly clock?: Clock | undefined;
  /** Told of what could not be saved when there was nobody left to tell. Silent if left out. */
  readonly logger?: Logger | undefined;
  /** Told of each request and handshake that another site's page may have made. */
  readonly onSecurityEvent?: OnSecurityEvent | undefined;
  /** Milliseconds that a session outlives its last request or handshake: 7 days if left out, a minute at least. */
  readonly idleLifetime?: number;
  /** Milliseconds that a session lasts from its login on, however busy: 14 days if left out, 400 days at most. */
  readonly lifetime?: number;
}

/** What {@link SessionMiddleware} adds to the scope. */
export interface WithSession {
  readonly session: LoginSession;
}

const minute = 60_000;
const day = 24 * 60 * minute;

/**
 * Sets `scope.session` to what the client's cookie stands for, and sets the cookie when a session begins: on the response,
 * on the accept of a WebSocket, and on the response that refuses one. No cookie, and one that is forged or expired, costs
 * nobody anything: a session without a user, and none in the store until something is put in.
 *
 * The cookie is HttpOnly, Secure and SameSite=Lax, its name begins with `__Host-`; its key has 256 random bits, and the
 * store has its digest only. A response that sets it says `Cache-Control: no-store`, unless it says something else.
 *
 * Requests and handshakes that a page of another site may have made are refused with 403 before anything is looked up:
 * see `allowedHosts`. A store that cannot be reached is 503.
 *
 * Throws `ConfigurationError` for a number out of range, a cookie's name that browsers would not take, and hosts that do
 * not protect.
 *
 * @example
 * stack().use(CookieMiddleware).use(SessionMiddleware({ store: database.sessions, allowedHosts: ["example.com"] }))
 */
export function SessionMiddleware(options: SessionOptions): Middleware<WithCookies, WithSession> {
  const { store, clock = systemClock, logger = silentLogger, lifetime = 14 * day } = options;
  const { idleLifetime = Math.min(7 * day, lifetime) } = options;
  checkRange("lifetime", lifetime, minute, 400 * day);
  checkRange("idleLifetime", idleLifetime, minute, lifetime);
  const cookie = new SessionCookie(options);
  const refuseCrossSite = crossSiteCheck(cookie.name, options, SecurityReports.to(options.onSecurityEvent));
  const records = new SessionRecords({ store, clock, logger: steadyLogger(logger), idleLifetime, lifetime });

  return middleware<WithCookies>(
    <P extends Connection, Inner extends object>(
      inner: App<P, Inner & WithCookies & WithSession>,
    ): App<P, Inner & WithCookies> =>
      async (scope, receive, send) => {
        refuseCrossSite(scope as Scope<Connection> & WithCookies);
        const readAt = clock.now();
        const key = scope.cookies.get(cookie.name) ?? "";
        const record = records.isKey(key) ? await lookUp("Sessions", () => records.find(key)) : undefined;
        const session = new LoginSession(records, cookie, readAt, record);
        try {
          await inner(growScope(scope, { session }), receive, answering(session, send));
        } finally {
          await session.finish();
        }
      },
  ) as Middleware<WithCookies, WithSession>;
}

/** Has the session saved before the answer goes out, with its cookie. What is sent meanwhile waits its turn. */
function answering<P extends Connection>(session: LoginSession, send: Send<P>): Send<P> {
  let state: "silent" | "answered" | Promise<void> = "silent";
  return (event: SendEvent<P>): MaybePromise<void> => {
    if (state === "answered" || (state === "silent" && !isAnswer(event))) return send(event);
    if (state !== "silent") return state.then(() => send(event));
    const header = session.answer();
    if (!(header instanceof Promise)) {
      state = "answered";
      return send(withCookie(event, header));
    }
    const sent = header.then((value) => send(withCookie(event, value)));
    state = sent;
    return sent.then(() => {
      state = "answered";
    });
  };
}

type Answer = Extract<SendEvent<Connection>, { readonly headers?: HeaderList | undefined }>;

function isAnswer({ type }: { readonly type: string }): boolean {
  return type === "http.response.start" || type === "websocket.accept" || type === "websocket.http.response.start";
}

function withCookie<P extends Connection>(event: SendEvent<P>, cookie: string | undefined): SendEvent<P> {
  if (cookie === undefined) return event;
  const { headers = [] } = event as Answer;
  const says = event.type === "websocket.accept" || headers.some(([name]) => name.toLowerCase() === "cache-control");
  // RFC 9111 7.3: a cache may keep a response with a cookie in it, and hand it to somebody else.
  const caching = says ? [] : [["cache-control", "no-store"] as const];
  return { ...event, headers: [...headers, ["set-cookie", cookie], ...caching] };
}
