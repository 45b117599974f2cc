import { ConfigurationError } from "../errors.js";
import { type ForUsers, forUsers } from "./require-user.js";
import { Refusal } from "./verdict.js";

/** A scope-token of RFC 6749 3.3: also what can stand in a quoted string as it is. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Lets only those through whose token is good for all of these scopes (RFC 6749 3.3). Stands inside of `TokenAuth`; inside,
 * `scope.user` is a `User` and `scope.grant` a `Grant`.
 *
 * Without a token it refuses as `requireUser` does; without a scope with 403 and
 * `WWW-Authenticate: Bearer error="insufficient_scope", scope="chat:write"` (RFC 6750 3.1), or close 4403 where the token
 * came in the first message. A grant that does not say its scopes has none.
 *
 * Throws `ConfigurationError` for what is not the name of a scope.
 *
 * @example
 * TokenAuth(requireScope("chat:write")(chat), { verifier, from: [fromHeader()] })
 */
export function requireScope(...names: readonly [string, ...string[]]): ForUsers {
  for (const name of names) {
    if (!scopeToken.test(name)) {
      throw new ConfigurationError(
        `expected the name of a scope without spaces and quotes, got ${JSON.stringify(name)}`,
      );
    }
  }
  const needed = names.join(" ");
  return forUsers(({ scopes = [] }) =>
    names.every((name) => scopes.includes(name)) ? undefined : new Refusal("insufficient", undefined, needed),
  );
}
