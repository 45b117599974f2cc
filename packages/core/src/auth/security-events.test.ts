import {
  FakeClock,
  HttpCommunicator,
  MemoryBrokerServer,
  MemorySessionStore,
  WebsocketCommunicator,
} from "@sluice/testing";
import { describe, expect, it } from "vitest";
import type { App } from "../app.js";
import { asApp } from "../consumers/as-app.js";
import { fetchApp } from "../consumers/fetch-app.js";
import { JsonWebsocketConsumer } from "../consumers/json-websocket-consumer.js";
import { WebsocketConsumer } from "../consumers/websocket-consumer.js";
import { BrokeredChannelLayer } from "../layers/brokered.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import { Leases } from "../leases/leases.js";
import { AuthMiddlewareStack, type SessionScope } from "../login-sessions/auth-middleware-stack.js";
import { login, logout } from "../login-sessions/login.js";
import type { OnSecurityEvent, SecurityEvent } from "../ports/security-events.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import { limitConnections } from "../rates/limit-connections.js";
import { limitMessages } from "../rates/limit-messages.js";
import type { HeaderList } from "../scope.js";
import { AllowedHostsOriginValidator } from "../security/origin-validator.js";
import type { MaybeAuthenticated } from "./authenticated.js";
import { fromFirstMessage, fromHeader, fromQuery } from "./carriers.js";
import { requireScope } from "./require-scope.js";
import { requireUser } from "./require-user.js";
import { TokenAuth, type TokenAuthOptions } from "./token-auth.js";
import type { User } from "./user.js";

const ada: User = { isAuthenticated: true, id: "ada", username: "ada lovelace" };
const bob: User = { isAuthenticated: true, id: "bob", username: "bob" };
const grants: Readonly<Record<string, Grant>> = {
  good: { user: ada, tokenId: "t1", sessionId: "s1", expiresAt: undefined },
  better: { user: ada, tokenId: "t2", sessionId: "s1", expiresAt: undefined },
  bobs: { user: bob, tokenId: "t3", expiresAt: undefined },
};
const verifier: TokenVerifier = {
  async verify(token) {
    if (token === "broken") throw new Error("the store is away");
    return grants[token];
  },
};
const known = { userId: "ada", tokenId: "t1", sessionId: "s1" };
const client = "192.0.2.1";

class Chat extends JsonWebsocketConsumer<MaybeAuthenticated> {
  override receiveJson(content: unknown) {
    this.requireScope("chat:write");
    return this.sendJson(content);
  }
}

class Silent extends WebsocketConsumer {}

function listener(): { events: SecurityEvent[]; onSecurityEvent: OnSecurityEvent } {
  const events: SecurityEvent[] = [];
  return { events, onSecurityEvent: (event) => void events.push(event) };
}

const hello: App<"http", MaybeAuthenticated> = fetchApp(() => new Response("hello"));

/** What is told of a handshake that `TokenAuth` decides on, and its status: 101 where it is let in. */
async function open(
  target: string,
  options: Partial<TokenAuthOptions<User>> = {},
  inner?: App<"websocket", MaybeAuthenticated>,
) {
  const { events, onSecurityEvent } = listener();
  const app = TokenAuth(inner ?? asApp(Chat), {
    ...{ verifier, from: [fromHeader(), fromQuery("token")], onSecurityEvent },
    ...options,
  });
  const socket = new WebsocketCommunicator(app, target, { clientAddress: client, expectErrors: true });
  const handshake = await socket.connect();
  return { events, socket, status: handshake.connected ? 101 : handshake.status };
}

const at = { client, protocol: "websocket" } as const;

describe("TokenAuth", () => {
  it.each<[string, string, Partial<TokenAuthOptions<User>>, number, SecurityEvent[]]>([
    ["a good token", "/?token=good", {}, 101, [{ type: "login", ...known, carrier: "query", ...at }]],
    ["one that is none", "/?token=x", {}, 401, [{ type: "failure", reason: "invalid_token", carrier: "query", ...at }]],
    [
      "one that makes a client anonymous",
      "/?token=x",
      { onInvalid: "anonymous" },
      101,
      [{ type: "failure", reason: "invalid_token", carrier: "query", ...at }],
    ],
    [
      "one that is as bad as none",
      "/?token=x",
      { onInvalid: "anonymous", onAnonymous: "deny" },
      401,
      [{ type: "failure", reason: "invalid_token", carrier: "query", ...at }],
    ],
    [
      "one that is too long for a look",
      `/?token=${"x".repeat(9_000)}`,
      {},
      401,
      [{ type: "failure", reason: "invalid_token", carrier: "query", ...at }],
    ],
    ["two", "/?token=good&token=x", {}, 400, [{ type: "refusal", reason: "invalid_request", ...at }]],
    [
      "none, where one is required",
      "/",
      { onAnonymous: "deny" },
      401,
      [{ type: "refusal", reason: "not_authenticated", ...at }],
    ],
    ["none, where none is required", "/", {}, 101, []],
    [
      "one that nobody can judge",
      "/?token=broken",
      {},
      503,
      [{ type: "refusal", reason: "temporarily_unavailable", carrier: "query", ...at }],
    ],
  ])("tells of %s", async (_, target, options, status, expected) => {
    const told = await open(target, options);
    expect([told.status, told.events]).toEqual([status, expected]);
    if (told.status === 101) await told.socket.disconnect();
  });

  it("tells of a request as of a handshake, and says which it was", async () => {
    const { events, onSecurityEvent } = listener();
    const app = TokenAuth(hello, { verifier, from: [fromHeader()], onSecurityEvent });
    const headers: HeaderList = [["authorization", "Bearer good"]];
    await new HttpCommunicator(app, "GET", "/", { headers, clientAddress: client }).getResponse();
    expect(events).toEqual([{ type: "login", ...known, carrier: "header", client, protocol: "http" }]);
  });

  it("tells of the token in a first message, and of the one that does not come", async () => {
    const clock = new FakeClock();
    const from = [fromFirstMessage({ timeout: 1_000 })];
    for (const [token, expected] of [
      ["good", { type: "login", ...known }],
      ["x", { type: "failure", reason: "invalid_token" }],
      [undefined, { type: "refusal", reason: "timeout" }],
    ] as const) {
      const { events, socket } = await open("/", { from, clock });
      if (token !== undefined) socket.sendJsonTo({ type: "auth", token });
      else await clock.advance(1_000);
      if (token === "good") await socket.disconnect();
      else await socket.receiveClose();
      expect(events).toEqual([{ ...expected, carrier: "first message", ...at }]);
    }
  });

  it("tells of a token that was revoked while it was looked up", async () => {
    const leases = new Leases({ layer: new InMemoryChannelLayer() });
    const revoking: TokenVerifier = {
      async verify(token) {
        await leases.revokeToken("t1");
        return grants[token];
      },
    };
    const { events, status } = await open("/?token=good", { verifier: revoking, leases });
    expect(status).toBe(401);
    expect(events).toEqual([
      { type: "login", ...known, carrier: "query", ...at },
      { type: "failure", reason: "invalid_token", ...known, carrier: "query", ...at },
    ]);
  });

  it("tells once of what is refused inside, with who it was, however many gates it passes", async () => {
    const { events, onSecurityEvent } = listener();
    const gate = requireScope("chat:write")(hello);
    const inner = TokenAuth(gate, { verifier, from: [fromHeader()], onSecurityEvent });
    const outer = TokenAuth(inner, { verifier, from: [fromQuery("token")], onSecurityEvent });
    const ask = async (headers: HeaderList) => {
      events.length = 0;
      const request = new HttpCommunicator(outer, "GET", "/", { headers, clientAddress: client, expectErrors: true });
      return (await request.getResponse()).status;
    };
    expect(await ask([["authorization", "Bearer good"]])).toBe(403);
    expect(events.slice(1)).toEqual([
      { type: "refusal", reason: "insufficient_scope", scope: "chat:write", ...known, client, protocol: "http" },
    ]);
    expect(await ask([])).toBe(401);
    expect(events).toEqual([{ type: "refusal", reason: "not_authenticated", client, protocol: "http" }]);
  });

  it("tells of requireUser where the token may come in the first message", async () => {
    const from = [fromFirstMessage()];
    const { events, socket } = await open("/", { from }, requireUser(asApp(Chat)));
    socket.sendJsonTo("hello");
    expect(await socket.receiveClose()).toMatchObject({ code: 4401 });
    expect(events).toEqual([{ type: "refusal", reason: "not_authenticated", ...at }]);
  });

  it("tells of renewals, and of those that are refused", async () => {
    const { events, socket } = await open("/?token=good");
    events.length = 0;
    for (const token of ["better", "x", "bobs", "broken"]) {
      socket.sendJsonTo({ type: "auth", token });
      await socket.receiveJsonFrom();
    }
    const after = { ...known, tokenId: "t2" };
    expect(events).toEqual([
      { type: "renewal", ...after, ...at },
      { type: "failure", reason: "invalid_token", ...after, ...at },
      { type: "failure", reason: "user_mismatch", ...after, ...at },
      { type: "refusal", reason: "temporarily_unavailable", ...after, ...at },
    ]);
    await socket.disconnect();
  });

  it("lets a consumer tell of what it refuses on an open connection, and of no renewal twice", async () => {
    const { events, onSecurityEvent } = listener();
    const { socket } = await open("/?token=good", { onSecurityEvent }, asApp(Chat, { onSecurityEvent }));
    events.length = 0;
    for (const message of ["hello", { type: "auth", token: "x" }]) {
      socket.sendJsonTo(message);
      await socket.receiveJsonFrom();
    }
    expect(events).toEqual([
      { type: "refusal", reason: "insufficient_scope", scope: "chat:write", ...known, ...at },
      { type: "failure", reason: "invalid_token", ...known, ...at },
    ]);
    await socket.disconnect();
  });

  it("goes on as ever where the listener throws or rejects", async () => {
    for (const onSecurityEvent of [
      () => {
        throw new Error("boom");
      },
      () => Promise.reject(new Error("boom")),
    ]) {
      const { socket, status } = await open("/?token=good", { onSecurityEvent });
      expect([status, (await open("/?token=x", { onSecurityEvent })).status]).toEqual([101, 401]);
      await socket.disconnect();
    }
  });
});

describe("leases", () => {
  it("tell of a revocation where it is asked for, and elsewhere where it ends connections", async () => {
    const clock = new FakeClock();
    const server = new MemoryBrokerServer(() => clock.now());
    const processes = ["one", "two", "three"].map(() => {
      const { events, onSecurityEvent } = listener();
      const layer = new BrokeredChannelLayer(server.broker(), { clock });
      return { events, leases: new Leases({ layer, clock, onSecurityEvent }) };
    });
    const [one, two, three] = processes as [(typeof processes)[0], (typeof processes)[0], (typeof processes)[0]];
    const begin = ({ leases }: typeof one, token: string) =>
      leases.begin(grants[token] as Grant, clock.now(), () => {});
    for (const each of processes) begin(each, "bobs");
    await clock.advance(1_000);
    for (const each of [one, two, two]) begin(each, "good");
    const told = () => processes.map(({ events }) => events.splice(0));

    await one.leases.revokeSession("s1", "logged_out");
    await clock.advance(0);
    const session = { type: "revocation", of: "session", sessionId: "s1", reason: "logged_out" };
    expect(told()).toEqual([
      [{ ...session, closed: 1, elsewhere: false }],
      [{ ...session, closed: 2, elsewhere: true }],
      [],
    ]);

    await three.leases.revokeToken("t9");
    await three.leases.revokeIssuedBefore("ada", 7);
    await clock.advance(0);
    expect(told()).toEqual([
      [],
      [],
      [
        { type: "revocation", of: "token", tokenId: "t9", reason: "revoked", closed: 0, elsewhere: false },
        {
          type: "revocation",
          of: "user",
          userId: "ada",
          reason: "password_changed",
          issuedBefore: 7,
          closed: 0,
          elsewhere: false,
        },
      ],
    ]);
    await Promise.all(processes.map(({ leases }) => leases.close()));
  });

  it("tell of no token that expires", async () => {
    const clock = new FakeClock();
    const { events, onSecurityEvent } = listener();
    const leases = new Leases({ layer: new InMemoryChannelLayer({ clock }), clock, onSecurityEvent });
    leases.begin({ ...grants.good, expiresAt: clock.now() + 1_000 } as Grant, clock.now(), () => {});
    await clock.advance(1_000);
    expect([leases.counts.ended.expired, events]).toEqual([1, []]);
    await leases.close();
  });
});

describe("a session", () => {
  const store = new MemorySessionStore();
  const logsIn = fetchApp<SessionScope>(async (_request, { scope }) => {
    await login(scope, ada);
    return new Response("");
  });
  const logsOut = fetchApp<SessionScope>(async (_request, { scope }) => {
    await logout(scope);
    return new Response("");
  });

  function world(leased: boolean) {
    const { events, onSecurityEvent } = listener();
    const auth = AuthMiddlewareStack<User>({
      ...{ store, allowedHosts: ["example.com"], findUser: () => ada, onSecurityEvent },
      leases: leased ? new Leases({ layer: new InMemoryChannelLayer(), onSecurityEvent }) : undefined,
    });
    const ask = async (app: App<"http", SessionScope>, origin: string, cookie = "") => {
      const headers: HeaderList = [["origin", origin], ...(cookie === "" ? [] : [["cookie", cookie] as const])];
      const request = new HttpCommunicator(auth(app), "POST", "/", {
        headers,
        clientAddress: client,
        expectErrors: true,
      });
      const response = await request.getResponse();
      return response.headers.find(([name]) => name === "set-cookie")?.[1].split(";")[0] ?? "";
    };
    return { events, ask };
  }

  it.each([
    ["with leases", true, {}],
    ["without", false, { userId: "ada", client, protocol: "http" }],
  ])("tells of a login and a logout, %s, and not of who comes back", async (_, leased, more) => {
    const { events, ask } = world(leased);
    const cookie = await ask(logsIn, "https://example.com");
    await ask(
      fetchApp(() => new Response("")),
      "https://example.com",
      cookie,
    );
    await ask(logsOut, "https://example.com", cookie);
    const sessionId = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(events).toEqual([
      { type: "login", userId: "ada", tokenId: sessionId, sessionId, carrier: "session", client, protocol: "http" },
      { type: "revocation", of: "session", sessionId, reason: "logged_out", closed: 0, elsewhere: false, ...more },
    ]);
    expect(JSON.stringify(events)).not.toContain(cookie.split("=")[1]);
  });

  it("tells of a page of another site, and of what is refused inside, each time once", async () => {
    const { events, ask } = world(true);
    await ask(logsIn, "https://evil.example");
    await ask(requireUser(logsIn), "https://example.com");
    expect(events).toEqual([
      { type: "refusal", reason: "cross_site", client, protocol: "http" },
      { type: "refusal", reason: "not_authenticated", client, protocol: "http" },
    ]);
  });
});

it("a foreign origin is told of, and not repeated", async () => {
  const { events, onSecurityEvent } = listener();
  const app = AllowedHostsOriginValidator(asApp(Silent), ["example.com"], { onSecurityEvent });
  const open = async (origin: string) => {
    const headers: HeaderList = [["origin", origin]];
    const socket = new WebsocketCommunicator(app, "/", { headers, clientAddress: client, expectErrors: true });
    return (await socket.connect()).connected;
  };
  expect([await open("https://evil.example"), await open("https://example.com")]).toEqual([false, true]);
  expect(events).toEqual([{ type: "refusal", reason: "origin", ...at }]);
});

it("limits tell of who goes beyond them", async () => {
  const { events, onSecurityEvent } = listener();
  const by = ({ user }: MaybeAuthenticated) => user.id;
  const connections = limitConnections({ max: 1, by, onSecurityEvent });
  const messages = limitMessages({ perSecond: 1, burst: 1, clock: new FakeClock(), onSecurityEvent });
  const app = TokenAuth(connections(messages(asApp(Chat))), { verifier, from: [fromQuery("token")] });
  const options = { clientAddress: client, expectErrors: true };
  const first = new WebsocketCommunicator(app, "/?token=good", options);
  await first.connect();
  expect(await new WebsocketCommunicator(app, "/?token=better", options).connect()).toMatchObject({ status: 429 });
  for (let count = 0; count < 3; count++) first.sendJsonTo("hello");
  await first.receiveJsonFrom();
  expect(await first.receiveClose()).toMatchObject({ code: 4429 });
  expect(events).toEqual([
    { type: "limit", limit: "connections", ...known, tokenId: "t2", ...at },
    { type: "limit", limit: "messages", ...known, ...at },
  ]);
});
