import {
  FakeClock,
  HttpCommunicator,
  MemorySessionStore,
  RecordingLogger,
  WebsocketCommunicator,
} from "@sluice/testing";
import { describe, expect, it } from "vitest";
import type { App } from "../app.js";
import { fromHeader } from "../auth/carriers.js";
import { requireUser } from "../auth/require-user.js";
import { TokenAuth } from "../auth/token-auth.js";
import type { User } from "../auth/user.js";
import { asApp } from "../consumers/as-app.js";
import { fetchApp } from "../consumers/fetch-app.js";
import { HttpConsumer } from "../consumers/http-consumer.js";
import { WebsocketConsumer } from "../consumers/websocket-consumer.js";
import { DenyConnection, LayerUnavailable, RouteNotFound, StoreUnavailable } from "../errors.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import { Leases } from "../leases/leases.js";
import { provide } from "../middleware.js";
import { webDigest } from "../ports/digest.js";
import type { UserRecord } from "../ports/user-store.js";
import { path } from "../routing/path.js";
import { URLRouter } from "../routing/url-router.js";
import type { HeaderList } from "../scope.js";
import { activeAccounts } from "./active-accounts.js";
import { AuthMiddlewareStack, type SessionScope } from "./auth-middleware-stack.js";
import { login, logout } from "./login.js";
import { sessionKey } from "./session-key.js";

const minute = 60_000;
const origin: HeaderList = [["origin", "https://example.com"]];
const ada: User = { isAuthenticated: true, id: "ada", username: "ada" };
const bob: User = { isAuthenticated: true, id: "bob", username: "bob" };
const cart = sessionKey<string>("cart");

function world({ leased = true } = {}) {
  const clock = new FakeClock();
  const store = new MemorySessionStore();
  const logger = new RecordingLogger();
  const layer = new InMemoryChannelLayer({ clock });
  const leases = new Leases({ layer, clock });
  const users = new Map([ada, bob].map((user) => [user.id, user]));
  const auth = AuthMiddlewareStack<User>({
    ...{ store, clock, logger, allowedHosts: ["example.com"], lifetime: 14 * minute, idleLifetime: 7 * minute },
    findUser: async (id) => users.get(id),
    leases: leased ? leases : undefined,
  });
  const asking = (expectErrors: boolean) => async (app: App<"http", SessionScope>, cookie?: string) => {
    const headers: HeaderList = cookie === undefined ? origin : [...origin, ["cookie", cookie]];
    await using client = new HttpCommunicator(auth(app), "POST", "/", { headers, expectErrors });
    const response = await client.getResponse();
    return { status: response.status, text: response.text(), ...cookieOf(response.headers) };
  };
  /** `ask` rejects with what the application fails with, `askInVain` shows it as a client sees it. */
  const ask = asking(false);
  const askInVain = asking(true);
  const socket = (app: App<"websocket", SessionScope>, cookie?: string) =>
    new WebsocketCommunicator(auth(app), "/", {
      headers: cookie === undefined ? origin : [...origin, ["cookie", cookie]],
    });
  return { clock, store, logger, layer, leases, users, auth, ask, askInVain, socket };
}

function cookieOf(headers: HeaderList): { setCookie: string | undefined; cookie: string } {
  const setCookie = headers.find(([name]) => name === "set-cookie")?.[1];
  return { setCookie, cookie: setCookie?.split(";")[0] ?? "" };
}

const keyOf = (cookie: string): string => cookie.slice("__Host-sessionid=".length);

/** Answers with who is there. */
const whoami = fetchApp<SessionScope>((_request, { scope }) => new Response(scope.user.username || "nobody"));
/** Logs a user in, and answers with who is there. */
const logsIn = (user: User) =>
  fetchApp<SessionScope>(async (_request, { scope }) => {
    await login(scope, user);
    return new Response(scope.user.username);
  });
const logsOut = fetchApp<SessionScope>(async (_request, { scope }) => {
  await logout(scope);
  return new Response(scope.user.username || "nobody");
});

/** Says who is there when it opens and on "who?", and does what else it is told. */
class Socket extends WebsocketConsumer<SessionScope> {
  override async connect() {
    await this.accept();
    await this.#tell();
  }
  override async receive(data: string | Uint8Array) {
    if (data === "login bob") await login(this.scope, bob);
    if (data === "logout") await logout(this.scope);
    await this.#tell();
  }
  #tell() {
    return this.send(this.scope.user.username || "nobody");
  }
}
const chat = asApp(Socket);

async function opened(client: WebsocketCommunicator) {
  const handshake = await client.connect();
  if (!handshake.connected) throw new Error(`expected to be connected, got ${handshake.status}`);
  return { user: await client.receiveFrom(), ...cookieOf(handshake.headers) };
}

describe("after a login over HTTP", () => {
  it("the cookie makes the user that user, on HTTP and on WebSockets", async () => {
    const { ask, socket, store } = world();
    const { cookie, text } = await ask(logsIn(ada));
    expect(text).toBe("ada");
    expect(await ask(whoami, cookie)).toMatchObject({ text: "ada", setCookie: undefined });
    await using client = socket(chat, cookie);
    expect(await opened(client)).toMatchObject({ user: "ada", setCookie: undefined });
    expect(store.size).toBe(1);
  });

  it("none, and one that is forged, make it nobody", async () => {
    const { ask, socket } = world();
    const { cookie } = await ask(logsIn(ada));
    const forged = `__Host-sessionid=${"A".repeat(43)}`;
    // Who can read the store cannot use what they read.
    const digest = `__Host-sessionid=${await webDigest(keyOf(cookie))}`;
    for (const carried of [undefined, forged, digest, `${cookie}x`, cookie.toLowerCase()]) {
      expect(await ask(whoami, carried)).toMatchObject({ status: 200, text: "nobody" });
      await using client = socket(chat, carried);
      expect(await opened(client)).toMatchObject({ user: "nobody" });
    }
  });

  it("one that has expired, by idleness or by its age, makes it nobody", async () => {
    const { ask, socket, clock } = world();
    const { cookie } = await ask(logsIn(ada));
    await clock.advance(7 * minute - 1);
    expect(await ask(whoami, cookie)).toMatchObject({ text: "ada" });
    await clock.advance(7 * minute);
    expect(await ask(whoami, cookie)).toMatchObject({ text: "nobody" });
    await using client = socket(chat, cookie);
    expect(await opened(client)).toMatchObject({ user: "nobody" });
  });

  it("a user who has gone is nobody, and 503 stands for one who cannot be looked up", async () => {
    const { ask, askInVain, socket, users } = world();
    const { cookie } = await ask(logsIn(ada));
    users.get = () => {
      throw new StoreUnavailable("away");
    };
    expect(await askInVain(whoami, cookie)).toMatchObject({
      status: 503,
      text: "Users cannot be looked up at the moment\n",
    });
    users.get = () => undefined;
    expect(await ask(whoami, cookie)).toMatchObject({ text: "nobody" });
    await using client = socket(chat, cookie);
    expect(await opened(client)).toMatchObject({ user: "nobody" });
  });

  it("requireUser lets them through, and nobody else", async () => {
    const { ask, socket } = world();
    const { cookie } = await ask(logsIn(ada));
    const members = requireUser(chat as App<"websocket", SessionScope & { user: User }>);
    await using client = socket(members, cookie);
    expect(await opened(client)).toMatchObject({ user: "ada" });
    await using stranger = socket(members);
    expect(await stranger.connect()).toMatchObject({ connected: false, status: 401 });
  });
});

describe("login", () => {
  it("gives the session a new key, and the old one is good for nothing", async () => {
    const { ask, store } = world();
    const foisted = await ask(async ({ session }, _receive, send) => {
      session.set(cart, "a book");
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body" });
    });
    const { cookie } = await ask(logsIn(ada), foisted.cookie);
    expect(cookie).toMatch(/^__Host-sessionid=.{43}$/);
    expect(cookie).not.toBe(foisted.cookie);
    expect(await ask(whoami, foisted.cookie)).toMatchObject({ text: "nobody" });
    expect(await ask(whoami, cookie)).toMatchObject({ text: "ada" });
    expect(store.size).toBe(1);
    expect(await store.find(await webDigest(keyOf(cookie)))).toMatchObject({ userId: "ada", data: { cart: "a book" } });
  });

  it("as another user leaves nothing of the first one's, as the same everything", async () => {
    const { ask, store } = world();
    const data = async (cookie: string) => (await store.find(await webDigest(keyOf(cookie))))?.data;
    const first = await ask(async (scope, receive, send) => {
      scope.session.set(cart, "a book");
      await logsIn(ada)(scope, receive, send);
    });
    const again = await ask(logsIn(ada), first.cookie);
    expect(await data(again.cookie)).toEqual({ cart: "a book" });
    const other = await ask(async (scope, receive, send) => {
      await logsIn(bob)(scope, receive, send);
      expect(scope.session.get(cart)).toBeUndefined();
    }, again.cookie);
    expect(await data(other.cookie)).toEqual({});
    expect(store.size).toBe(1);
  });

  it("begins the lifetime anew", async () => {
    const { ask, clock } = world();
    const first = await ask(logsIn(ada));
    await clock.advance(6 * minute);
    const again = await ask(logsIn(ada), first.cookie);
    await clock.advance(6 * minute);
    expect(await ask(whoami, again.cookie)).toMatchObject({ text: "ada" });
    await clock.advance(6 * minute);
    expect(await ask(whoami, again.cookie)).toMatchObject({ text: "ada" });
  });

  it("works in an HttpConsumer", async () => {
    const { ask } = world();
    class Login extends HttpConsumer<SessionScope> {
      override async handle() {
        await login(this.scope, ada);
        await this.sendResponse(200, this.scope.user.username);
      }
    }
    const { cookie, text } = await ask(asApp(Login));
    expect(text).toBe("ada");
    expect(await ask(whoami, cookie)).toMatchObject({ text: "ada" });
  });

  it("works in connect() of a WebsocketConsumer, and the accept sets the cookie", async () => {
    const { ask, socket } = world();
    class Login extends Socket {
      override async connect() {
        await login(this.scope, ada);
        await super.connect();
      }
    }
    const first = await ask(logsIn(bob));
    await using client = socket(asApp(Login), first.cookie);
    const { user, cookie } = await opened(client);
    expect(user).toBe("ada");
    expect(await ask(whoami, cookie)).toMatchObject({ text: "ada" });
    expect(await ask(whoami, first.cookie)).toMatchObject({ text: "nobody" });
  });

  it("on an open WebSocket is good for this connection alone, and ends with it", async () => {
    const { ask, socket, store } = world();
    const { cookie } = await ask(logsIn(ada));
    {
      await using client = socket(chat, cookie);
      await opened(client);
      for (const _time of ["once", "and again"]) {
        client.sendTo("login bob");
        expect(await client.receiveFrom()).toBe("bob");
        expect(store.size).toBe(2);
      }
      expect(await ask(whoami, cookie)).toMatchObject({ text: "ada" });
    }
    expect(store.size).toBe(1);
    expect(await ask(whoami, cookie)).toMatchObject({ text: "ada" });
  });

  it("is taken back when the application fails before its answer", async () => {
    const { askInVain, store } = world();
    for (const error of [new Error("a fault"), new DenyConnection(), new RouteNotFound("no such page")]) {
      const { setCookie } = await askInVain(async (scope) => {
        await login(scope, ada);
        throw error;
      });
      expect(setCookie).toBeUndefined();
    }
    expect(store.size).toBe(0);
  });

  it("that cannot be saved leaves everybody who they were", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(logsIn(bob));
    store.replace = () => Promise.reject(new StoreUnavailable("away"));
    const { text } = await ask(async (scope, receive, send) => {
      await expect(login(scope, ada)).rejects.toThrow(StoreUnavailable);
      await whoami(scope, receive, send);
    }, cookie);
    expect(text).toBe("bob");
    expect(await ask(whoami, cookie)).toMatchObject({ text: "bob" });
  });
});

describe("logout", () => {
  it("removes the session and clears the cookie", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(logsIn(ada));
    const { text, setCookie } = await ask(logsOut, cookie);
    expect(text).toBe("nobody");
    expect(setCookie).toBe("__Host-sessionid=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax");
    expect(store.size).toBe(0);
    expect(await ask(whoami, cookie)).toMatchObject({ text: "nobody" });
  });

  it("of nobody changes nothing", async () => {
    const { ask } = world();
    expect(await ask(logsOut)).toMatchObject({ status: 200, text: "nobody", setCookie: undefined });
  });

  it("leaves other sessions of the user alone", async () => {
    const { ask } = world();
    const [phone, laptop] = [await ask(logsIn(ada)), await ask(logsIn(ada))];
    await ask(logsOut, phone.cookie);
    expect(await ask(whoami, laptop.cookie)).toMatchObject({ text: "ada" });
  });

  it("may be followed by a login, and a login by it", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(logsIn(ada));
    const next = await ask(async (scope, receive, send) => {
      await logout(scope);
      await logsIn(bob)(scope, receive, send);
    }, cookie);
    expect(await ask(whoami, next.cookie)).toMatchObject({ text: "bob" });
    const last = await ask(async (scope, receive, send) => {
      await login(scope, ada);
      await logsOut(scope, receive, send);
    }, next.cookie);
    expect(last.setCookie).toContain("__Host-sessionid=; Max-Age=0;");
    expect(store.size).toBe(0);
  });

  it("works in connect() of a WebsocketConsumer, which goes on as nobody's", async () => {
    const { ask, socket, leases } = world();
    class Logout extends Socket {
      override async connect() {
        await logout(this.scope);
        await super.connect();
      }
    }
    const { cookie } = await ask(logsIn(ada));
    await using client = socket(asApp(Logout), cookie);
    const { user, setCookie } = await opened(client);
    expect(user).toBe("nobody");
    expect(setCookie).toContain("Max-Age=0");
    expect(leases.size).toBe(0);
    client.sendTo("who?");
    expect(await client.receiveFrom()).toBe("nobody");
  });
});

describe("with leases", () => {
  const loggedOut = { code: 4401, reason: "logged_out" };

  it("a logout closes the WebSockets of the session, and no others", async () => {
    const { ask, socket, leases } = world();
    const [mine, other] = [await ask(logsIn(ada)), await ask(logsIn(ada))];
    await using one = socket(chat, mine.cookie);
    await using two = socket(chat, mine.cookie);
    await using another = socket(chat, other.cookie);
    await using stranger = socket(chat);
    for (const client of [one, two, another, stranger]) await opened(client);
    expect(leases.counts).toMatchObject({ leases: 3, sessions: 2 });
    expect(await ask(logsOut, mine.cookie)).toMatchObject({ status: 200, text: "nobody" });
    for (const client of [one, two]) expect(await client.receiveClose()).toEqual(loggedOut);
    for (const [client, user] of [
      [another, "ada"],
      [stranger, "nobody"],
    ] as const) {
      client.sendTo("who?");
      expect(await client.receiveFrom()).toBe(user);
    }
  });

  it("a logout on an open WebSocket closes that one too", async () => {
    const { ask, socket } = world();
    const { cookie } = await ask(logsIn(ada));
    await using client = socket(chat, cookie);
    await opened(client);
    client.sendTo("logout");
    expect(await client.receiveClose()).toEqual(loggedOut);
    expect(await ask(whoami, cookie)).toMatchObject({ text: "nobody" });
  });

  it("without them it stays open, as nobody's", async () => {
    const { ask, socket } = world({ leased: false });
    const { cookie } = await ask(logsIn(ada));
    await using client = socket(chat, cookie);
    await opened(client);
    client.sendTo("logout");
    expect(await client.receiveFrom()).toBe("nobody");
  });

  it("a logout behind the beginning of a response lets the rest of it through", async () => {
    const { ask, leases } = world();
    const { cookie } = await ask(logsIn(ada));
    const { text, setCookie } = await ask(async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "before, ", moreBody: true });
      expect(leases.size).toBe(1);
      await logout(scope);
      expect(leases.size).toBe(0);
      await send({ type: "http.response.body", body: "after" });
    }, cookie);
    expect({ text, setCookie }).toEqual({ text: "before, after", setCookie: undefined });
    expect(await ask(whoami, cookie)).toMatchObject({ text: "nobody" });
  });

  it("a login after a revocation of all that was issued before it is not concerned", async () => {
    const { ask, clock, leases, store, socket } = world();
    const [here, elsewhere] = [await ask(logsIn(ada)), await ask(logsIn(ada))];
    await using client = socket(chat, elsewhere.cookie);
    await opened(client);
    await clock.advance(1);
    const { cookie, status } = await ask(async (scope, receive, send) => {
      await store.removeAllOf("ada");
      await login(scope, ada);
      await leases.revokeIssuedBefore("ada", scope.session.createdAt ?? 0);
      await whoami(scope, receive, send);
    }, here.cookie);
    expect(status).toBe(200);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "password_changed" });
    expect(await ask(whoami, cookie)).toMatchObject({ text: "ada" });
    expect(await ask(whoami, elsewhere.cookie)).toMatchObject({ text: "nobody" });
  });

  it("a login in connect() holds one from the accept on", async () => {
    const { socket, leases } = world();
    class Login extends Socket {
      override async connect() {
        await login(this.scope, ada);
        expect(leases.size).toBe(0);
        await super.connect();
      }
    }
    await using client = socket(asApp(Login));
    await opened(client);
    expect(leases.leasesOf("ada")).toHaveLength(1);
    await leases.revokeUser("ada", "disabled");
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "disabled" });
  });

  it("a login on an open WebSocket changes whose it is, and a revocation ends it", async () => {
    const { ask, socket, leases, store } = world();
    const { cookie } = await ask(logsIn(ada));
    {
      await using client = socket(chat, cookie);
      await opened(client);
      client.sendTo("login bob");
      expect(await client.receiveFrom()).toBe("bob");
      expect([leases.leasesOf("ada"), leases.leasesOf("bob")]).toMatchObject([[], [{}]]);
      await ask(logsOut, cookie);
      client.sendTo("who?");
      expect(await client.receiveFrom()).toBe("bob");
      await leases.revokeUser("bob");
      expect(await client.receiveClose()).toEqual({ code: 4401, reason: "revoked" });
    }
    expect(leases.size).toBe(0);
    expect(store.size).toBe(0);
  });

  it("a new login in a session closes the WebSockets of the old one, and answers", async () => {
    const { ask, socket } = world();
    const { cookie } = await ask(logsIn(ada));
    await using client = socket(chat, cookie);
    await opened(client);
    expect(await ask(logsIn(bob), cookie)).toMatchObject({ status: 200, text: "bob" });
    expect(await client.receiveClose()).toEqual(loggedOut);
  });

  it("a WebSocket is closed when its session is too old, and not while it is idle", async () => {
    const { ask, socket, clock } = world();
    const { cookie } = await ask(logsIn(ada));
    await using client = socket(chat, cookie);
    await opened(client);
    await clock.advance(14 * minute - 1);
    client.sendTo("who?");
    expect(await client.receiveFrom()).toBe("ada");
    await clock.advance(1);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });
  });

  it.each(["session", "user"])("a %s that is revoked during the handshake is refused", async (what) => {
    const { ask, socket, leases, store } = world();
    const { cookie } = await ask(logsIn(ada));
    class Late extends Socket {
      override async connect() {
        if (what === "user") await leases.revokeUser("ada");
        else await leases.revokeSession(this.scope.session.id ?? "");
        await store.removeAllOf("ada");
        await this.accept();
      }
    }
    await using client = socket(asApp(Late), cookie);
    expect(await client.connect()).toMatchObject({ connected: false, status: 401 });
  });

  it("a user who is disabled while they are looked up does not get in", async () => {
    const { ask, socket, leases, users } = world();
    const { cookie } = await ask(logsIn(ada));
    users.get = () => {
      void leases.revokeUser("ada", "disabled");
      return ada;
    };
    await using client = socket(chat, cookie);
    expect(await client.connect()).toMatchObject({ connected: false, status: 401 });
  });

  it("a channel layer that is away does not keep anybody logged in", async () => {
    const { ask, layer, logger, store } = world();
    const { cookie } = await ask(logsIn(ada));
    layer.groupSend = () => Promise.reject(new LayerUnavailable("away"));
    expect(await ask(logsOut, cookie)).toMatchObject({ status: 200, text: "nobody" });
    expect(store.size).toBe(0);
    const told = logger.lines.filter(({ message }) => message.startsWith("other processes will hear later"));
    expect(told).toMatchObject([{ level: "warn", fields: { sessionId: await webDigest(keyOf(cookie)) } }]);
    expect(JSON.stringify(logger.lines)).not.toContain(keyOf(cookie));
  });
});

it("a middleware of one's own puts any user into the scope", async () => {
  const { auth } = world();
  const guest: User = { isAuthenticated: true, id: "guest", username: "guest" };
  const asGuest = provide((scope: SessionScope) => ({ user: scope.user.isAuthenticated ? scope.user : guest }));
  await using client = new WebsocketCommunicator(auth(asGuest(chat)), "/", { headers: origin });
  expect(await opened(client)).toMatchObject({ user: "guest" });
});

it("a router outside sees the routes inside", async () => {
  const { auth } = world();
  const inside = auth(URLRouter([path("chat/", chat)]));
  const router = URLRouter([
    path("app/", inside),
    path("app/other/", () => {
      throw new DenyConnection({ status: 418 });
    }),
  ]);
  await using client = new WebsocketCommunicator(router, "/app/other/", { headers: origin });
  expect(await client.connect()).toMatchObject({ connected: false, status: 418 });
});

describe("activeAccounts", () => {
  const record: UserRecord = {
    ...{ id: "1", username: "ada", name: "Ada", passwordHash: "secret", isActive: true, isSuperuser: false },
    createdAt: 0,
  };
  const finding = (found: UserRecord | undefined) => activeAccounts({ findById: async () => found })("1");

  it("finds who is there, without what has to stay secret", async () => {
    const user = await finding(record);
    expect(user).toMatchObject({ isAuthenticated: true, username: "ada", name: "Ada" });
    expect(JSON.stringify(user)).not.toContain("secret");
  });

  it("does not find who is not active, or not there", async () => {
    expect(await finding({ ...record, isActive: false })).toBeUndefined();
    expect(await finding(undefined)).toBeUndefined();
  });
});

it("offers no renewal by a token: whoever stands further out does not know this user", async () => {
  const { auth, ask } = world();
  const { cookie } = await ask(logsIn(ada));
  const offered: unknown[] = [];
  const app: App<"websocket", SessionScope> = async (scope, receive, send) => {
    offered.push(scope.user.username, scope.renew);
    await receive();
    await send({ type: "websocket.accept" });
  };
  const verifier = { verify: () => ({ user: bob, tokenId: "t", expiresAt: undefined }) };
  const client = new WebsocketCommunicator(TokenAuth(auth(app), { verifier, from: [fromHeader()] }), "/", {
    headers: [...origin, ["cookie", cookie]],
  });
  expect(await client.connect()).toMatchObject({ connected: true });
  expect(offered).toEqual(["ada", undefined]);
});
