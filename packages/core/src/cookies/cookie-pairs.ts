import { ConfigurationError } from "../errors.js";
import { type HeaderList, header } from "../scope.js";

/** A token of RFC 9110 5.6.2, as RFC 6265 4.1.1 wants it. */
const cookieName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Throws `ConfigurationError` for what no cookie can be called. */
export function checkCookieName(name: string): void {
  if (!cookieName.test(name)) {
    throw new ConfigurationError(`expected the name of a cookie, got ${JSON.stringify(name)}`);
  }
}

/**
 * The cookies of a request in their order, as lenient as RFC 6265 5.4 makes browsers: what has no `=` is left out, quotes
 * around a value are taken off, and nothing is decoded.
 */
export function cookiePairs(scope: { readonly headers: HeaderList }): (readonly [name: string, value: string])[] {
  return (header(scope, "cookie") ?? "").split(";").flatMap((pair) => {
    const separator = pair.indexOf("=");
    if (separator === -1) return [];
    const value = pair.slice(separator + 1).trim();
    return [[pair.slice(0, separator).trim(), value.replace(/^"(.*)"$/, "$1")] as const];
  });
}
