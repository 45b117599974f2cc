import type { Connection, Scope } from "../app.js";
import { checkCookieName, cookiePairs } from "../cookies/cookie-pairs.js";
import { ConfigurationError } from "../errors.js";
import type { TokenVerifier } from "../ports/token-verifier.js";
import { headerValues } from "../scope.js";
import { authMessageToken } from "./auth-message.js";
import type { User } from "./user.js";

/** A place in a request where a client may put its token. `Who` is whom it knows by itself, if it brings a verifier. */
export interface Carrier<Who extends User = never> {
  /** For logs: `"header"`, `"cookie"`. */
  readonly name: string;
  /** Every token the request carries there, as it stands; empty if it does not try to identify itself that way. */
  find(scope: Scope<Connection>): readonly string[];
  /** The offered subprotocol that announces a token; it is what accept answers with. */
  readonly subprotocol?: string;
  /**
   * Verifies what stands here, in place of the verifier of `TokenAuth`, for credentials that are bound to their request.
   * Called where something does. Must not throw.
   */
  verifierFor?(scope: Scope<Connection>): TokenVerifier<Who>;
}

/** Reads the token out of a WebSocket's first message instead of its handshake. */
export interface FirstMessageCarrier {
  readonly name: "first message";
  /** Milliseconds the client has for it: close 4408 after them. */
  readonly timeout: number;
  /** The token in a message, or undefined if it is not a message that carries one. */
  read(message: string | Uint8Array): string | undefined;
}

/** `Authorization: Bearer <token>` (RFC 6750) or `Authorization: Token <token>` (Django REST framework). */
export function fromHeader(): Carrier {
  return {
    name: "header",
    find: (scope) =>
      headerValues(scope, "authorization").flatMap((value) => {
        const match = /^(?:bearer|token)(?= |$) *(.*)$/i.exec(value.trim());
        return match === null ? [] : [match[1] ?? ""];
      }),
  };
}

/** A cookie. Browsers send it with every handshake, from any page: check the origin outside of it. */
export function fromCookie(name: string): Carrier {
  checkCookieName(name);
  return {
    name: "cookie",
    find: (scope) => cookiePairs(scope).flatMap(([key, value]) => (key === name ? [value] : [])),
  };
}

/**
 * The subprotocol after `name`, as a browser can send it: `new WebSocket(url, ["access_token", token])`. Only the name
 * is answered with, and neither is left in `scope.subprotocols`.
 */
export function fromSubprotocol(name = "access_token"): Carrier {
  return {
    name: "subprotocol",
    subprotocol: name,
    find: (scope) => {
      if (scope.type !== "websocket") return [];
      const index = scope.subprotocols.indexOf(name);
      return index === -1 ? [] : [scope.subprotocols[index + 1] ?? ""];
    },
  };
}

/**
 * A parameter of the URL. URLs end up in logs, histories and Referer headers, so this has to be asked for by name;
 * RFC 9700 4.3.2 advises against it for access tokens. A ticket may stand there: see `fromTicket`.
 */
export function fromQuery(name: string): Carrier {
  if (name === "") throw new ConfigurationError("expected the name of a query parameter, got an empty one");
  return {
    name: "query",
    find: ({ queryString }) => (queryString === "" ? [] : queryValues(queryString, name)),
  };
}

function queryValues(query: string, name: string): readonly string[] {
  // URLSearchParams reads it letter by letter. Without the question mark in front it would drop one that the query begins with.
  if (query.includes("%") || query.includes("+") || name.includes("="))
    return new URLSearchParams(`?${query}`).getAll(name);
  const values: string[] = [];
  for (let start = 0, end = 0; end !== -1; start = end + 1) {
    end = query.indexOf("&", start);
    const pair = query.slice(start, end === -1 ? undefined : end);
    if (pair === name) values.push("");
    else if (pair.startsWith(name) && pair[name.length] === "=") values.push(pair.slice(name.length + 1));
  }
  return values;
}

/**
 * The first message: `{"type":"auth","token":"..."}`, or what `read` finds in it. The WebSocket is accepted before its
 * client is known, so it costs a connection; handshakes that carry a token another way do not wait for it.
 */
export function fromFirstMessage(
  options: { readonly timeout?: number; readonly read?: FirstMessageCarrier["read"] } = {},
): FirstMessageCarrier {
  return { name: "first message", timeout: options.timeout ?? 10_000, read: options.read ?? authMessage };
}

function authMessage(message: string | Uint8Array): string | undefined {
  if (typeof message !== "string") return undefined;
  try {
    return authMessageToken(JSON.parse(message));
  } catch {
    return undefined;
  }
}
