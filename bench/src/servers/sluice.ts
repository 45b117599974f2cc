/** The site in Sluice, for whichever transport. */
import { hash } from "node:crypto";
import {
  AllowedHostsOriginValidator,
  type App,
  type Authenticated,
  asApp,
  fromHeader,
  fromQuery,
  HttpConsumer,
  header,
  InMemoryChannelLayer,
  JsonWebsocketConsumer,
  Leases,
  type Logger,
  type MaybePromise,
  middleware,
  OpaqueTokens,
  ProtocolTypeRouter,
  path,
  silentLogger,
  systemClock,
  Tickets,
  TokenAuth,
  TokenCache,
  type TokenVerifier,
  URLRouter,
  type User,
  WebsocketConsumer,
} from "@sluice/core";
import { Argon2Hasher } from "@sluice/passwords-argon2";
import { JwtTokens, type JwtUser } from "@sluice/tokens-jose";
import { MemoryTickets } from "./memory-tickets.js";
import {
  account,
  databaseUrl,
  eventStream,
  loginLifetime,
  passwordCost,
  site,
  siteSecret,
  ticketLifetime,
} from "./site.js";

const clock = systemClock;
const layer = new InMemoryChannelLayer();
const digest = (text: string): string => hash("sha256", text, "hex");
const jwt = new JwtTokens({ keys: { current: siteSecret() }, issuer: site.issuer, audience: site.audience, clock });
const verifier = new TokenCache({ verifier: jwt, leases: new Leases({ layer }), digest });
const tickets = new Tickets({ store: new MemoryTickets(), clock, verify: () => true, lifetime: ticketLifetime });
const hasher = new Argon2Hasher(passwordCost);
const passwordHash = await hasher.hash(account.password);
const json = { headers: [["content-type", "application/json"]] } as const;

class Echo extends WebsocketConsumer {
  override receive(data: string | Uint8Array): MaybePromise<void> {
    return this.send(data);
  }
}

class JsonEcho extends JsonWebsocketConsumer {
  override receiveJson(content: unknown): MaybePromise<void> {
    const { n, text } = content as { readonly n: number; readonly text: string };
    return this.sendJson({ type: "echoed", n, text });
  }
}

interface GroupEvents {
  readonly "group.message": { readonly text: string };
}

interface GroupRoute {
  readonly urlRoute: { readonly kwargs: { readonly name: string } };
}

class Member extends WebsocketConsumer<GroupRoute, GroupEvents> {
  static readonly handlers = ["group.message"] as const;
  override readonly groups: readonly string[] = [this.scope.urlRoute.kwargs.name];

  override async receive(data: string | Uint8Array): Promise<void> {
    if (typeof data !== "string") return this.close(1003);
    await this.channelLayer.groupSend(this.scope.urlRoute.kwargs.name, { type: "group.message", text: data });
  }

  groupMessage({ text }: GroupEvents["group.message"]): MaybePromise<void> {
    return this.send(text);
  }
}

class Login extends HttpConsumer {
  override readonly maxBodySize: number = 10_000;

  async handle(body: Uint8Array): Promise<void> {
    const { username, password } = JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>;
    // A wrong name takes as long as a wrong password.
    const isRight = typeof password === "string" && (await hasher.verify(passwordHash, password));
    if (!isRight || username !== account.username) return this.sendResponse(401, "wrong username or password");
    const { token } = await jwt.issue(account, { expiresIn: loginLifetime });
    return this.sendResponse(200, JSON.stringify({ token }), json);
  }
}

class Me extends HttpConsumer<Authenticated<JwtUser>> {
  handle(): MaybePromise<void> {
    const { id, username, name } = this.scope.user;
    return this.sendResponse(200, JSON.stringify({ id, username, name }), json);
  }
}

class Ticket extends HttpConsumer<Authenticated<JwtUser>> {
  async handle(): Promise<void> {
    const use = { origin: header(this.scope, "origin"), purpose: "websocket" };
    const { ticket } = await tickets.issue(this.scope.grant, use);
    await this.sendResponse(200, JSON.stringify({ ticket }), json);
  }
}

class Events extends HttpConsumer {
  async handle(): Promise<void> {
    await this.sendHeaders(200, {
      headers: [
        ["content-type", "text/event-stream"],
        ["cache-control", "no-store"],
      ],
    });
    for (let count = 1; count <= eventStream.count; count++) {
      await this.sendBody(eventStream.event, { moreBody: count < eventStream.count });
    }
  }
}

/** How many events went out: what an application may well want to know of all of its connections. */
const traffic = { sent: 0 };

const counted = middleware(
  (inner) => (scope, receive, send) =>
    inner(scope, receive, (event) => {
      traffic.sent++;
      return send(event);
    }),
);

/** Three middlewares around a consumer: the origin, the token, and one that sees each message that goes out. */
function gate<Who extends User>(inner: App<"websocket">, verifier: TokenVerifier<Who>): App<"websocket"> {
  const known = TokenAuth(counted(inner), { verifier, from: [fromQuery("token")], onAnonymous: "deny" });
  return AllowedHostsOriginValidator(known, [site.allowedHost]);
}

/** Behind the bearer's token. */
const api = TokenAuth(
  URLRouter([path("me", asApp(Me)), path("ticket", asApp(Ticket)), path("events", asApp(Events))]),
  {
    verifier,
    from: [fromHeader()],
    onAnonymous: "deny",
  },
);

const jwtRoutes = gate(
  URLRouter([
    path("ws/echo/", asApp(Echo)),
    path("ws/json/", asApp(JsonEcho)),
    path("ws/group/<slug:name>/", asApp(Member, { layer })),
  ]),
  verifier,
);

/** Errors are the last words of a process; there should be none. */
export const logger: Logger = {
  ...silentLogger,
  error: (fields, message) => process.stderr.write(`${message} ${"err" in fields ? String(fields.err) : ""}\n`),
};

const url = databaseUrl();

export const application: App = ProtocolTypeRouter({
  http: URLRouter([path("login", asApp(Login)), path("", api)]),
  websocket: url === undefined ? jwtRoutes : URLRouter([await opaqueRoute(url), path("", jwtRoutes)]),
});

async function opaqueRoute(url: string) {
  // Loaded where it is asked for: it is no small part of a server's memory.
  const { openDatabase } = await import("@sluice/store-drizzle");
  const { tokens: store } = await openDatabase({ url });
  return path("ws/opaque/", gate(asApp(Echo), new OpaqueTokens({ store, clock, digest, logger })));
}
