import { type Middleware, provide } from "../middleware.js";
import { cookiePairs } from "./cookie-pairs.js";

/** What {@link CookieMiddleware} adds to the scope. */
export interface WithCookies {
  /** By name, as they came over the wire: nothing is decoded but quotes, which are taken off. */
  readonly cookies: ReadonlyMap<string, string>;
}

/**
 * Sets `scope.cookies`. Of two cookies of one name the first counts: browsers send the one of the longer path first
 * (RFC 6265 5.4).
 *
 * @example
 * CookieMiddleware((scope, receive, send) => { scope.cookies.get("theme"); })
 */
export const CookieMiddleware: Middleware<{}, WithCookies> = provide((scope) => {
  const cookies = new Map<string, string>();
  for (const [name, value] of cookiePairs(scope)) {
    if (!cookies.has(name)) cookies.set(name, value);
  }
  return { cookies };
});
