import { hash } from "node:crypto";
import {
  AllowedHostsOriginValidator,
  asApp,
  fromQuery,
  InMemoryChannelLayer,
  Leases,
  type MaybePromise,
  ProtocolTypeRouter,
  path,
  silentLogger,
  systemClock,
  TokenAuth,
  TokenCache,
  URLRouter,
  WebsocketConsumer,
} from "@sluice/core";
import { JwtTokens } from "@sluice/tokens-jose";
import { serve } from "@sluice/transport-uws";
import { present } from "./present.js";
import { site, siteSecret } from "./site.js";

class Echo extends WebsocketConsumer {
  override receive(data: string | Uint8Array): MaybePromise<void> {
    return this.send(data);
  }
}

const tokens = new JwtTokens({
  keys: { current: siteSecret() },
  issuer: site.issuer,
  audience: site.audience,
  clock: systemClock,
});

const verifier = new TokenCache({
  verifier: tokens,
  leases: new Leases({ layer: new InMemoryChannelLayer() }),
  digest: (text) => hash("sha256", text, "hex"),
});

const application = ProtocolTypeRouter({
  websocket: AllowedHostsOriginValidator(
    TokenAuth(URLRouter([path("ws/echo/", asApp(Echo))]), {
      verifier,
      from: [fromQuery("token")],
      onAnonymous: "deny",
    }),
    [site.allowedHost],
  ),
});

const { port } = await serve(application, {
  port: 0,
  logger: {
    ...silentLogger,
    error: (fields, message) => process.stderr.write(`${message} ${"err" in fields ? String(fields.err) : ""}\n`),
  },
});
present(port);
