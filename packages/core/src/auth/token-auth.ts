import type { App, Connection, MaybePromise, Receive, Scope, Send } from "../app.js";
import { ConfigurationError } from "../errors.js";
import type { Leases } from "../leases/leases.js";
import type { Middleware, Unmet } from "../middleware.js";
import { type Clock, systemClock } from "../ports/clock.js";
import type { OnSecurityEvent } from "../ports/security-events.js";
import type { TokenVerifier } from "../ports/token-verifier.js";
import { claiming, claimOf } from "../routing/claim.js";
import { growScope } from "../scope.js";
import type { Authenticated, MaybeAuthenticated } from "./authenticated.js";
import type { Carrier, FirstMessageCarrier } from "./carriers.js";
import { afterFirstMessage, closeWith } from "./first-message.js";
import { LeasedConnection } from "./leased-connection.js";
import { presentedBy, presentedToken } from "./presented-token.js";
import { renewal } from "./renewal.js";
import { SecurityReports } from "./security-reports.js";
import { anonymousUser, type User } from "./user.js";
import { judgeBy, Refusal, type Verdict } from "./verdict.js";

export interface TokenAuthOptions<Who extends User> {
  readonly verifier: TokenVerifier<Who>;
  /** Where tokens may come from. What is not named here is not looked at. */
  readonly from: readonly (Carrier<NoInfer<Who>> | FirstMessageCarrier)[];
  /** A connection without a token: let it in as `AnonymousUser` (the default), or refuse it. */
  readonly onAnonymous?: "allow" | "deny";
  /** A connection whose token is no good: refuse it (the default), or treat it as one without. */
  readonly onInvalid?: "deny" | "anonymous";
  /**
   * How a WebSocket is refused: by a response with a status, before it is open (the default), or by accepting it and
   * closing with 4401, which is the only way to tell a browser's script why.
   */
  readonly denial?: "response" | "close";
  /** For the time a first message may take. */
  readonly clock?: Clock;
  /**
   * Watches over the credentials of connections that are open. When one is no good any more, a WebSocket is closed with
   * 4401 and the reason (`"revoked"`, `"expired"`, ...), and the response to a request is ended; the application is told by
   * the disconnect event; unless `scope.renew` has put another token in its place. Without leases a connection outlives
   * its token.
   */
  readonly leases?: Leases | undefined;
  /**
   * Told of each good token (`login`), each that is no good (`failure`), each renewal, and of whom it refuses or what stands
   * inside does (`refusal`).
   */
  readonly onSecurityEvent?: OnSecurityEvent | undefined;
}

type DenyingOptions<Who extends User> = TokenAuthOptions<Who> & { readonly onAnonymous: "deny" };

/** Fails to compile where `Inner` wants more of a user than is added. */
type Suits<Inner, Adds> =
  Pick<Adds, keyof Adds & keyof Inner> extends Pick<Inner, keyof Adds & keyof Inner>
    ? unknown
    : { readonly "~needs": Pick<Inner, keyof Adds & keyof Inner> };

/**
 * Says who is there: takes the token out of the request, has it verified, and sets `scope.user`. A connection that is
 * refused never reaches the inner application.
 *
 * Refused with 401 and `WWW-Authenticate` (RFC 6750 3): no token where one is required, or one that is no good. With
 * 400: different tokens in one request. With 503: a verifier that cannot work.
 *
 * A WebSocket can be given another token while it is open: see {@link Renew}, and `renew` of the consumers.
 *
 * @example
 * TokenAuth(chat, { verifier, from: [fromHeader(), fromSubprotocol()], onAnonymous: "deny" })
 * @example
 * stack<"websocket">().use(TokenAuth({ verifier, from: [fromCookie("session")] })).app(chat)
 */
export function TokenAuth<Who extends User, P extends Connection, Inner extends object>(
  inner: App<P, Inner & Authenticated<Who>> & Suits<Inner, Authenticated<Who>>,
  options: DenyingOptions<Who>,
): App<P, Unmet<Inner, Scope<P> & Authenticated<Who>>>;
export function TokenAuth<Who extends User, P extends Connection, Inner extends object>(
  inner: App<P, Inner & MaybeAuthenticated<Who>> & Suits<Inner, MaybeAuthenticated<Who>>,
  options: TokenAuthOptions<Who>,
): App<P, Unmet<Inner, Scope<P> & MaybeAuthenticated<Who>>>;
export function TokenAuth<Who extends User>(options: DenyingOptions<Who>): Middleware<{}, Authenticated<Who>>;
export function TokenAuth<Who extends User>(options: TokenAuthOptions<Who>): Middleware<{}, MaybeAuthenticated<Who>>;
export function TokenAuth(
  ...given: [TokenAuthOptions<User>] | [App<Connection, MaybeAuthenticated>, TokenAuthOptions<User>]
): unknown {
  const [first, second] = given;
  return typeof first === "function" && second !== undefined
    ? withTokenAuth(first, second)
    : (inner: App<Connection, MaybeAuthenticated>) => withTokenAuth(inner, first as TokenAuthOptions<User>);
}

function withTokenAuth(
  application: App<Connection, MaybeAuthenticated>,
  options: TokenAuthOptions<User>,
): App<Connection> {
  if (options.from.length === 0) {
    throw new ConfigurationError(
      "expected TokenAuth to be told where tokens come from, got from: []; try [fromHeader()]",
    );
  }
  const carriers = options.from.filter((carrier): carrier is Carrier<User> => "find" in carrier);
  const firstMessage = options.from.find((carrier): carrier is FirstMessageCarrier => "read" in carrier);
  const markers = carriers.flatMap(({ subprotocol }) => subprotocol ?? []);
  const judge = judgeBy(options);
  const clock = options.clock ?? systemClock;
  const { leases, verifier } = options;
  const reports = SecurityReports.to(options.onSecurityEvent);
  const inner = reports?.watch(application) ?? application;
  const renewals = { judge: judgeBy({ verifier, onAnonymous: "deny" }), clock: leases ?? clock, reports };

  const guarded: App<Connection> = (scope, receive, send) => {
    const marker = markers.find((subprotocol) => offers(scope, subprotocol));
    const reply = marker === undefined ? send : answering(marker, send);
    const visible = marker === undefined ? scope : withoutToken(scope, marker);
    const since = leases === undefined ? 0 : leases.now();
    const presented = presentedToken(carriers, scope);

    const proceed = (verdict: Verdict): MaybePromise<void> => {
      reports?.verdict(scope, presentedBy(presented), verdict);
      if (!(verdict instanceof Refusal)) {
        const { type } = scope;
        const refuse = (): MaybePromise<void> => {
          reports?.failure(scope, presentedBy(presented), "invalid_token", verdict);
          return refuseLease(type, options.denial, reply);
        };
        const connection =
          leases === undefined || (verdict === undefined && type === "http")
            ? undefined
            : new LeasedConnection({ leases, grant: verdict, since, type, send: reply, refuse });
        const renew = type === "websocket" ? renewal(renewals, scope, verdict, connection) : undefined;
        const grown = growScope(visible, { user: verdict?.user ?? anonymousUser, grant: verdict, renew });
        return connection === undefined
          ? inner(grown, receive, reply)
          : connection.run(inner, grown, receive, connection.send);
      }
      if (scope.type === "websocket" && options.denial === "close") return acceptAndClose(verdict, reply);
      throw verdict;
    };

    if (presented === "ambiguous") return proceed(new Refusal("ambiguous"));
    if (presented === undefined && firstMessage !== undefined && visible.type === "websocket") {
      return afterFirstMessage({
        inner,
        scope: visible,
        receive: receive as Receive<"websocket">,
        send: reply,
        carrier: firstMessage,
        judge,
        clock,
        leases,
        renewals,
        reports,
      });
    }
    const verdict = judge(presented?.token, presented?.carrier.verifierFor?.(scope));
    return verdict instanceof Promise ? verdict.then(proceed) : proceed(verdict);
  };
  return claiming(guarded, claimOf(application));
}

function offers(scope: Scope<Connection>, subprotocol: string): boolean {
  return scope.type === "websocket" && scope.subprotocols.includes(subprotocol);
}

/** What is left of the offer when the marker and the token behind it are taken out. */
function withoutToken(scope: Scope<Connection>, marker: string): Scope<Connection> {
  if (scope.type !== "websocket") return scope;
  const index = scope.subprotocols.indexOf(marker);
  return { ...scope, subprotocols: scope.subprotocols.filter((_, at) => at !== index && at !== index + 1) };
}

/** Answers the offer with the marker where the application has chosen nothing: browsers close a WebSocket otherwise. */
function answering(marker: string, send: Send<Connection>): Send<Connection> {
  return (event) =>
    send(
      event.type === "websocket.accept" && event.subprotocol === undefined ? { ...event, subprotocol: marker } : event,
    );
}

async function acceptAndClose(refusal: Refusal, send: Send<Connection>): Promise<void> {
  await send({ type: "websocket.accept" });
  await closeWith(refusal, send);
}

/** The answer to a token that was revoked between its verification and the opening of the connection. */
export async function refuseLease(
  type: Connection,
  denial: TokenAuthOptions<User>["denial"],
  send: Send<Connection>,
): Promise<void> {
  const refusal = new Refusal("invalid");
  if (type === "websocket" && denial === "close") return acceptAndClose(refusal, send);
  const { status, headers, body } = refusal;
  const response = type === "websocket" ? "websocket.http.response" : "http.response";
  await send({ type: `${response}.start`, status, headers });
  await send({ type: `${response}.body`, body });
}
