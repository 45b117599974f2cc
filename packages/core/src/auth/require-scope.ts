import { type ForUsers, forUsers } from "./require-user.js";
import { checkScopes, hasScopes, insufficientScope, type ScopeNames } from "./scopes.js";

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
export function requireScope(...names: ScopeNames): ForUsers {
  checkScopes(names);
  return forUsers((grant) => (hasScopes(grant, names) ? undefined : insufficientScope(names)));
}
