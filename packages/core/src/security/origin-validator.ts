import type { App, Connection } from "../app.js";
import { SecurityReports } from "../auth/security-reports.js";
import { DenyConnection } from "../errors.js";
import { type Middleware, middleware } from "../middleware.js";
import type { OnSecurityEvent } from "../ports/security-events.js";
import { allowedOrigins, hostsOrOwnMachine } from "./allowed-origins.js";

export interface OriginOptions {
  /**
   * Lets in clients that send no Origin at all, as command-line and native ones do; no browser is among them. False if
   * left out. Such clients have to say who they are in another way: see `TokenAuth`.
   */
  readonly allowMissingOrigin?: boolean;
  /** Told of each handshake that is refused. */
  readonly onSecurityEvent?: OnSecurityEvent | undefined;
}

/**
 * Refuses WebSocket handshakes from web pages of other origins, with 403 and before anything inside runs. Browsers do
 * not ask before they open a WebSocket and send their cookies along: without this any page can act for its visitor.
 *
 * Patterns, in any case, with international names as they are written or in punycode:
 *
 * - `"example.com"`: any scheme and port
 * - `".example.com"`: that host and all below it
 * - `"https://example.com"`, `"https://example.com:8443"`: exactly that scheme, host and port; `ws` counts as `http`,
 *   `wss` as `https`
 * - `"example.com:8000"`: any scheme
 * - `"*"`: everybody, whether or not there is an Origin and whatever it says
 *
 * Otherwise an Origin that is `null`, malformed or repeated is refused. HTTP requests pass unchecked: what other pages
 * may do there is for CORS to say. Throws `ConfigurationError` for a pattern that could never match.
 *
 * Without `app` it is a middleware.
 *
 * @example
 * OriginValidator(TokenAuth(chat, tokens), ["https://example.com", "localhost"]);
 * stack<"websocket">().use(OriginValidator(["https://example.com", "localhost"]));
 */
// The first overload types an application that is written in place, so it has to be the one that takes one.
export function OriginValidator<P extends Connection, Needs extends object = {}>(
  app: App<P, Needs>,
  patterns: readonly string[],
  options?: OriginOptions,
): App<P, Needs>;
export function OriginValidator(patterns: readonly string[], options?: OriginOptions): Middleware;
export function OriginValidator<P extends Connection, Needs extends object>(
  first: App<P, Needs> | readonly string[],
  second?: readonly string[] | OriginOptions,
  third?: OriginOptions,
): Middleware | App<P, Needs> {
  return around(gate, first, second, third);
}

/**
 * An {@link OriginValidator} for the hosts this application is served under. An empty list means a developer's own
 * machine: `localhost`, `127.0.0.1` and `[::1]`, on any port.
 *
 * @example
 * AllowedHostsOriginValidator(TokenAuth(chat, tokens), ["example.com", ".example.org"]);
 */
export function AllowedHostsOriginValidator<P extends Connection, Needs extends object = {}>(
  app: App<P, Needs>,
  hosts: readonly string[],
  options?: OriginOptions,
): App<P, Needs>;
export function AllowedHostsOriginValidator(hosts: readonly string[], options?: OriginOptions): Middleware;
export function AllowedHostsOriginValidator<P extends Connection, Needs extends object>(
  first: App<P, Needs> | readonly string[],
  second?: readonly string[] | OriginOptions,
  third?: OriginOptions,
): Middleware | App<P, Needs> {
  return around((hosts, options) => gate(hostsOrOwnMachine(hosts), options), first, second, third);
}

type Gate = (patterns: readonly string[], options?: OriginOptions) => Middleware;

/** Tells the two ways of calling a validator apart. */
function around<P extends Connection, Needs extends object>(
  make: Gate,
  first: App<P, Needs> | readonly string[],
  second: readonly string[] | OriginOptions | undefined,
  third: OriginOptions | undefined,
): Middleware | App<P, Needs> {
  return typeof first === "function"
    ? make(second as readonly string[], third)(first)
    : make(first, second as OriginOptions | undefined);
}

function gate(patterns: readonly string[], options: OriginOptions = {}): Middleware {
  const { allowMissingOrigin = false } = options;
  if (patterns.includes("*")) {
    // The others have to be right all the same.
    allowedOrigins(patterns.filter((pattern) => pattern !== "*"));
    return middleware((inner) => inner);
  }
  const allows = allowedOrigins(patterns);
  const reports = SecurityReports.to(options.onSecurityEvent);
  return middleware((inner) => (scope, receive, send) => {
    if (scope.type === "websocket" && !(allows(scope) ?? allowMissingOrigin)) {
      reports?.refusedStranger(scope, "origin");
      throw new DenyConnection({
        status: 403,
        headers: [["content-type", "text/plain; charset=utf-8"]],
        body: "Origin not allowed\n",
        closeCode: 4403,
      });
    }
    return inner(scope, receive, send);
  });
}
