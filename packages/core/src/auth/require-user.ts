import type { App, Connection } from "../app.js";
import { type Middleware, middleware } from "../middleware.js";
import type { Grant } from "../ports/token-verifier.js";
import type { Flat } from "../routing/flat.js";
import { growScope } from "../scope.js";
import type { Authenticated, MaybeAuthenticated, Renew } from "./authenticated.js";
import type { User } from "./user.js";
import { Refusal } from "./verdict.js";

/** Whom an application wants to be there: a type of user of its own, or anybody who is known. */
type Wanted<Inner> = Inner extends { readonly user: infer Who extends User }
  ? Who
  : Inner extends { readonly grant: Grant<infer Who extends User> }
    ? Who
    : User;

/** Middleware that lets known users through. The user's type is the one that the inner application asks for. */
export interface ForUsers extends Middleware<MaybeAuthenticated, Authenticated> {
  <P extends Connection, Inner extends object = {}>(
    inner: App<P, Inner & Authenticated>,
  ): App<P, Flat<Omit<Inner, keyof MaybeAuthenticated> & MaybeAuthenticated<Wanted<Inner>>>>;
}

/** Makes such a middleware: refuses whom `refusal` gives a reason for, and the grants of such, when they are renewed. */
export function forUsers(refusal: (grant: Grant) => Refusal | undefined): ForUsers {
  const checkGrant = (grant: Grant | undefined): void => {
    const refused = grant === undefined ? new Refusal("missing") : refusal(grant);
    if (refused !== undefined) throw refused;
  };
  return middleware<MaybeAuthenticated>((inner) => (scope, receive, send) => {
    checkGrant(scope.grant);
    return inner(checkedRenewal(scope, checkGrant), receive, send);
  }) as ForUsers;
}

/** The scope, whose credential is only renewed by a grant that passes. */
function checkedRenewal<Given extends MaybeAuthenticated>(scope: Given, checkGrant: (grant: Grant) => void): Given {
  const { renew } = scope;
  if (renew === undefined) return scope;
  const checked: Renew = (token, check) =>
    renew(token, (grant) => {
      checkGrant(grant);
      check?.(grant);
    });
  return growScope(scope, { renew: checked });
}

/**
 * Lets only those through who have shown a token, for a part of an application whose `TokenAuth` lets others in too.
 * Stands inside of it; inside, `scope.user` is a `User` and `scope.grant` a `Grant`.
 *
 * Refuses with 401 and `WWW-Authenticate: Bearer` (RFC 6750 3) before a connection is open, as `TokenAuth` does. Where the
 * token had to come in the first message, a WebSocket is closed with 4401.
 *
 * @example
 * TokenAuth(URLRouter([path("news/", news), path("chat/", requireUser(chat))]), { verifier, from: [fromHeader()] })
 */
export const requireUser: ForUsers = forUsers(() => undefined);
