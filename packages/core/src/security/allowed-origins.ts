import { type HeaderList, headerValues } from "../scope.js";
import { compileOrigin, parseOrigin } from "./origin-pattern.js";

const ownMachine: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** The hosts as they are given; none stand for a developer's own machine. */
export function hostsOrOwnMachine(hosts: readonly string[]): readonly string[] {
  return hosts.length === 0 ? ownMachine : hosts;
}

/**
 * Makes the check of a request's Origin by patterns: undefined if it has none, false also for one that is `null`,
 * malformed or repeated. Throws `ConfigurationError` for a pattern that could never match.
 */
export function allowedOrigins(
  patterns: readonly string[],
): (scope: { readonly headers: HeaderList }) => boolean | undefined {
  const allowed = patterns.map(compileOrigin);
  // Most clients come from the same pages.
  let lastAllowed: string | undefined;
  return (scope) => {
    const [value, second] = headerValues(scope, "origin");
    if (value === undefined) return undefined;
    if (second !== undefined) return false;
    if (value === lastAllowed) return true;
    const origin = parseOrigin(value);
    const isAllowed = origin !== undefined && allowed.some((matches) => matches(origin));
    if (isAllowed) lastAllowed = value;
    return isAllowed;
  };
}
