import { anonymousUser, type User } from "../auth/user.js";
import type { SessionLogin } from "./session-login.js";

/** A scope inside of `AuthMiddleware`. */
export interface LoginScope<Who extends User = User> {
  readonly auth: SessionLogin<Who>;
}

/**
 * Logs a user in whose password, or whatever it was, has been checked: the session is theirs from now on, with a new key.
 * Resolves when it is in the store. The cookie goes with the response or the accept that follows, and `scope.user` is the
 * user in this scope and for what has it in its hands; copies that middleware has made stay what they are.
 *
 * On a WebSocket that is open, and behind a response that has begun, no cookie can be set any more: the connection is the
 * user's until it ends, and the client's cookie means what it meant before.
 *
 * What is thrown as an answer, such as `DenyConnection`, sets no cookie, and the login is taken back.
 *
 * @example
 * class Login extends HttpConsumer<SessionScope<AccountUser>> {
 *   override async handle(body: Uint8Array) {
 *     const user = await check(body);
 *     if (user === undefined) return this.sendResponse(400, "Wrong name or password");
 *     await login(this.scope, user);
 *     return this.sendResponse(204, "");
 *   }
 * }
 */
export async function login<Who extends User>(scope: LoginScope<Who>, user: NoInfer<Who>): Promise<void> {
  const grant = await scope.auth.login(user);
  Object.assign(scope, { user, grant });
}

/**
 * Logs out: the session is removed from the store with all that it kept, the cookie is cleared, and `scope.user` is nobody.
 * With `leases`, the WebSockets that were opened with the session are closed with 4401 `logged_out` in every process, also
 * the one that asks for it if it is open.
 */
export async function logout(scope: LoginScope): Promise<void> {
  await scope.auth.logout();
  Object.assign(scope, { user: anonymousUser, grant: undefined });
}
