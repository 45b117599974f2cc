import type { App, Connection } from "../app.js";
import type { User } from "../auth/user.js";
import { CookieMiddleware, type WithCookies } from "../cookies/cookie-middleware.js";
import { type Middleware, stack } from "../middleware.js";
import { AuthMiddleware, type AuthOptions, type WithUser } from "./auth-middleware.js";
import { SessionMiddleware, type SessionOptions, type WithSession } from "./session-middleware.js";

export interface AuthStackOptions<Who extends User> extends SessionOptions, AuthOptions<Who> {}

/** What a scope carries inside of {@link AuthMiddlewareStack}. */
export interface SessionScope<Who extends User = User> extends WithCookies, WithSession, WithUser<Who> {}

/**
 * Cookies, session and user in one: `CookieMiddleware`, `SessionMiddleware` and `AuthMiddleware`, for HTTP and for
 * WebSockets. After a login over HTTP the cookie makes `scope.user` that user on both; without one, and with one that is
 * forged or expired, it is `AnonymousUser`.
 *
 * @example
 * const auth = AuthMiddlewareStack({
 *   store: database.sessions,
 *   findUser: activeAccounts(database.users),
 *   allowedHosts: ["example.com"],
 *   leases,
 * });
 * ProtocolTypeRouter({ http: auth(fetchApp(api.fetch)), websocket: auth(URLRouter([path("chat/", chat)])) });
 */
export function AuthMiddlewareStack<Who extends User>(
  options: AuthStackOptions<Who>,
): Middleware<{}, SessionScope<Who>> {
  const layers = stack().use(CookieMiddleware).use(SessionMiddleware(options)).use(AuthMiddleware(options));
  // It adds all that is needed, which a stack cannot say of an application that it does not know yet.
  return ((inner: App<Connection, SessionScope<Who>>) => layers.app(inner)) as Middleware<{}, SessionScope<Who>>;
}
