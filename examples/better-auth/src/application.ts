import {
  AllowedHostsOriginValidator,
  type App,
  asApp,
  fetchApp,
  fromCookie,
  type Leases,
  ProtocolTypeRouter,
  path,
  TokenAuth,
  URLRouter,
  WebsocketConsumer,
} from "@sluice/core";
import type { Auth } from "./auth.js";
import { type Account, SessionVerifier, sessionCookie } from "./session-verifier.js";

/** Greets by name, and repeats what it is told. */
class Echo extends WebsocketConsumer<{ user: Account }> {
  override async connect() {
    await this.accept();
    await this.send(`Hello ${this.scope.user.name}`);
  }

  override receive(data: string | Uint8Array) {
    return this.send(data);
  }
}

/** Better Auth's own routes, and WebSockets for who has signed in with them. */
export async function createApplication(auth: Auth, leases: Leases, hosts: readonly string[]): Promise<App> {
  const cookie = await sessionCookie(auth);
  const echo = TokenAuth(URLRouter([path("ws/echo/", asApp(Echo))]), {
    verifier: new SessionVerifier(auth, cookie),
    from: [fromCookie(cookie)],
    leases,
    onAnonymous: "deny",
  });
  return ProtocolTypeRouter({
    http: fetchApp((request) => auth.handler(request)),
    // A browser sends the cookie along from any page: the origin is what tells ours from others.
    websocket: AllowedHostsOriginValidator(echo, hosts),
  });
}
