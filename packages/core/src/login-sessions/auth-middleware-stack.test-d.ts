import type { App } from "../app.js";
import type { AccountUser } from "../auth/account-user.js";
import { requireUser } from "../auth/require-user.js";
import type { AnonymousUser, User } from "../auth/user.js";
import { asApp } from "../consumers/as-app.js";
import { fetchApp } from "../consumers/fetch-app.js";
import { HttpConsumer } from "../consumers/http-consumer.js";
import { WebsocketConsumer } from "../consumers/websocket-consumer.js";
import { CookieMiddleware } from "../cookies/cookie-middleware.js";
import { provide, stack } from "../middleware.js";
import type { SessionStore } from "../ports/session-store.js";
import type { UserStore } from "../ports/user-store.js";
import { path } from "../routing/path.js";
import { ProtocolTypeRouter } from "../routing/protocol-type-router.js";
import { URLRouter } from "../routing/url-router.js";
import { activeAccounts } from "./active-accounts.js";
import { AuthMiddleware } from "./auth-middleware.js";
import { AuthMiddlewareStack, type SessionScope } from "./auth-middleware-stack.js";
import { login, logout } from "./login.js";
import { sessionKey } from "./session-key.js";
import { SessionMiddleware } from "./session-middleware.js";

declare const store: SessionStore;
declare const users: UserStore;
declare const account: AccountUser;
declare const somebody: User;
declare const forAnyone: App<"websocket", { user: User | AnonymousUser }>;
declare const forMembers: App<"websocket", { user: User }>;
declare const withMessages: App<"http" | "websocket", SessionScope & { messages: string[] }>;

const allowedHosts = ["example.com"];
const options = { store, findUser: activeAccounts(users), allowedHosts };
const auth = AuthMiddlewareStack(options);

// Inside, everything is typed by the options.
export const inline: App<"http"> = stack<"http">()
  .use(auth)
  .app(async (scope) => {
    scope.cookies.get("theme") satisfies string | undefined;
    scope.session.id satisfies string | undefined;
    if (scope.user.isAuthenticated) scope.user.isSuperuser satisfies boolean;
    // @ts-expect-error nobody said that the user is known
    scope.user.isSuperuser;
    await login(scope, account);
    // @ts-expect-error those who log in here are accounts
    await login(scope, somebody);
    await logout(scope);
  });

// It fits both protocols, routers and fetch handlers, and what else an application needs stays needed.
export const both: App = ProtocolTypeRouter({
  http: auth(fetchApp<SessionScope<AccountUser>>((_request, { scope }) => new Response(scope.user.username))),
  websocket: auth(URLRouter([path("news/", forAnyone), path("chat/", requireUser(forMembers))])),
});
const needing = auth(withMessages);
export const given: App<"http" | "websocket"> = provide(() => ({ messages: [""] }))(needing);
// @ts-expect-error messages are not a matter of sessions
export const notGiven: App<"http" | "websocket"> = needing;
// @ts-expect-error an anonymous user is no member
export const members: App<"websocket"> = auth(forMembers);

// Consumers say which scope they are for.
class Login extends HttpConsumer<SessionScope<AccountUser>> {
  override async handle() {
    await login(this.scope, account);
    await this.sendResponse(204, "");
  }
}
class Chat extends WebsocketConsumer<SessionScope> {
  override async connect() {
    await logout(this.scope);
    await this.accept();
  }
}
export const consumers: readonly [App<"http">, App<"websocket">] = [auth(asApp(Login)), auth(asApp(Chat))];

// A wrong order does not compile.
const session = SessionMiddleware({ store, allowedHosts });
const user = AuthMiddleware({ findUser: activeAccounts(users) });
stack<"websocket">().use(CookieMiddleware).use(session).use(user).app(forAnyone);
// @ts-expect-error cookies come first
stack().use(session);
// @ts-expect-error the session comes first
stack().use(CookieMiddleware).use(user);
// @ts-expect-error which hosts are this site's has to be said
AuthMiddlewareStack({ store, findUser: activeAccounts(users) });
// @ts-expect-error login works inside of AuthMiddleware only
export const outside: App<"http"> = async (scope) => login(scope, account);

// Values have the type of their key.
const cart = sessionKey<readonly string[]>("cart");
const visits = sessionKey("visits", (kept) => typeof kept === "number");
export const typed: App<"http"> = stack<"http">()
  .use(auth)
  .app(({ session }) => {
    session.get(cart) satisfies readonly string[] | undefined;
    session.set(visits, (session.get(visits) ?? 0) + 1);
    session.delete(cart);
    // @ts-expect-error not a list
    session.set(cart, "book");
    // @ts-expect-error not a number
    session.set(visits, "1");
  });
