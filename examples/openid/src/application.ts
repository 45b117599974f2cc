import {
  type App,
  asApp,
  fromHeader,
  fromSubprotocol,
  type Leases,
  ProtocolTypeRouter,
  path,
  requireScope,
  TokenAuth,
  URLRouter,
  type User,
  WebsocketConsumer,
} from "@sluice/core";
import { JwksTokens } from "@sluice/tokens-jose";

/** Somebody the provider knows: a person, or a program that acts for itself. */
interface Caller extends User {
  readonly client: string;
}

/** Says to whom it speaks, and repeats what they say. */
class Echo extends WebsocketConsumer<{ user: Caller }> {
  override async connect() {
    await this.accept();
    const { id, client } = this.scope.user;
    await this.send(JSON.stringify({ subject: id, client }));
  }

  override receive(data: string | Uint8Array) {
    return this.send(data);
  }
}

export interface Provider {
  /** As it writes it into tokens, and no other spelling. */
  readonly issuer: string;
  /** The `jwks_uri` of `<issuer>/.well-known/openid-configuration`. */
  readonly jwksUrl: string;
  /** What it calls this application: a resource (RFC 8707), an API. */
  readonly audience: string;
}

export function createApplication(provider: Provider, leases: Leases): App {
  const verifier = new JwksTokens({
    ...provider,
    algorithms: ["ES256"],
    typ: "at+jwt",
    requiredClaims: ["sub", "client_id"],
    user({ sub, client_id }): Caller {
      return { isAuthenticated: true, id: `${sub}`, username: `${sub}`, client: `${client_id}` };
    },
  });
  const echo = requireScope("chat:write")(asApp(Echo));
  const from = [fromHeader(), fromSubprotocol()];
  const gate = TokenAuth(URLRouter([path("ws/echo/", echo)]), { verifier, from, leases, onAnonymous: "deny" });
  return ProtocolTypeRouter({ websocket: gate });
}
