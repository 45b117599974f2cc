import { ConfigurationError } from "../errors.js";
import type { Grant } from "../ports/token-verifier.js";
import { Refusal } from "./verdict.js";

/** A scope-token of RFC 6749 3.3: also what can stand in a quoted string as it is. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** At least one. */
export type ScopeNames = readonly [string, ...string[]];

/** Throws `ConfigurationError` for what is not the name of a scope. */
export function checkScopes(names: ScopeNames): void {
  for (const name of names) {
    if (!scopeToken.test(name)) {
      throw new ConfigurationError(
        `expected the name of a scope without spaces and quotes, got ${JSON.stringify(name)}`,
      );
    }
  }
}

/** Whether a token is good for all of them. A grant that does not say its scopes has none. */
export function hasScopes({ scopes = [] }: Grant, names: ScopeNames): boolean {
  return names.every((name) => scopes.includes(name));
}

/** The refusal of a token that is not. */
export function insufficientScope(names: ScopeNames): Refusal {
  return new Refusal("insufficient", undefined, names.join(" "));
}
