import {
  FakeClock,
  HttpCommunicator,
  MemorySessionStore,
  RecordingLogger,
  WebsocketCommunicator,
} from "@sluice/testing";
import { describe, expect, it, test } from "vitest";
import type { App, Connection } from "../app.js";
import { CookieMiddleware } from "../cookies/cookie-middleware.js";
import { ConfigurationError, StoreUnavailable } from "../errors.js";
import { webDigest } from "../ports/digest.js";
import type { HeaderList } from "../scope.js";
import { sessionKey } from "./session-key.js";
import { SessionMiddleware, type SessionOptions, type WithSession } from "./session-middleware.js";

const day = 86_400_000;
const minute = 60_000;
const visits = sessionKey("visits", (kept) => typeof kept === "number");
const theme = sessionKey<string>("theme");
const origin: HeaderList = [["origin", "https://example.com"]];

/** Counts the visits of a session, and answers with them. */
const counting: App<"http", WithSession> = async ({ session }, _receive, send) => {
  session.set(visits, (session.get(visits) ?? 0) + 1);
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: String(session.get(visits)) });
};

/** Looks whether there is a session, and touches nothing. */
const looking: App<"http", WithSession> = async ({ session }, _receive, send) => {
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: String(session.id !== undefined) });
};

function world(options: Partial<Omit<SessionOptions, "store">> = {}) {
  const clock = new FakeClock();
  const store = new MemorySessionStore();
  const logger = new RecordingLogger();
  const sessions = SessionMiddleware({ store, clock, logger, allowedHosts: ["example.com"], ...options });
  const wrap = <P extends Connection>(app: App<P, WithSession>) => CookieMiddleware(sessions(app)) as App<P>;

  const asking =
    (expectErrors: boolean) =>
    async (app: App<"http", WithSession>, cookie?: string, method = "GET", headers: HeaderList = []) => {
      const carried: HeaderList = cookie === undefined ? headers : [["cookie", cookie], ...headers];
      await using client = new HttpCommunicator(wrap(app), method, "/", { headers: carried, expectErrors });
      const response = await client.getResponse();
      return {
        status: response.status,
        text: response.text(),
        headers: response.headers,
        ...cookieOf(response.headers),
      };
    };
  const socket = (app: App<"websocket", WithSession>, cookie?: string, headers: HeaderList = origin) =>
    new WebsocketCommunicator(wrap(app), "/", {
      headers: cookie === undefined ? headers : [["cookie", cookie], ...headers],
    });
  /** `ask` rejects with what the application fails with, `askInVain` shows it as a client sees it. */
  const ask = asking(false);
  const askInVain = asking(true);
  return { clock, store, logger, ask, askInVain, socket };
}

/** The Set-Cookie header of an answer, and what a browser would send of it. */
function cookieOf(headers: HeaderList): { setCookie: string | undefined; cookie: string } {
  const setCookie = headers.find(([name]) => name === "set-cookie")?.[1];
  return { setCookie, cookie: setCookie?.split(";")[0] ?? "" };
}

describe("the cookie", () => {
  it("is set with the first value, once, and brings it back", async () => {
    const { ask, store } = world();
    const first = await ask(counting);
    expect(first.setCookie).toMatch(
      /^__Host-sessionid=[A-Za-z0-9_-]{43}; Max-Age=1209600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(first.text).toBe("1");
    const second = await ask(counting, first.cookie);
    expect(second).toMatchObject({ text: "2", setCookie: undefined });
    expect(store.size).toBe(1);
  });

  it("is neither set nor is anything stored for who leaves nothing", async () => {
    const { ask, store } = world();
    expect(await ask(looking)).toMatchObject({ text: "false", setCookie: undefined });
    const emptied: App<"http", WithSession> = async (scope, receive, send) => {
      scope.session.set(theme, "dark");
      scope.session.delete(theme);
      await looking(scope, receive, send);
    };
    expect(await ask(emptied)).toMatchObject({ text: "false", setCookie: undefined });
    expect(store.size).toBe(0);
  });

  it("carries a key that the store does not have", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(counting);
    const key = cookie.slice("__Host-sessionid=".length);
    expect(await store.find(key)).toBeUndefined();
    expect(await store.find(await webDigest(key))).toMatchObject({ data: { visits: 1 }, userId: undefined });
  });

  it("keeps the response out of caches, unless it has its own word on it", async () => {
    const { ask } = world();
    const cached: App<"http", WithSession> = ({ session }, _receive, send) => {
      session.set(theme, "dark");
      void send({ type: "http.response.start", status: 200, headers: [["cache-control", "private"]] });
      return send({ type: "http.response.body" });
    };
    const controls = async (app: App<"http", WithSession>) =>
      (await ask(app)).headers.filter(([name]) => name === "cache-control").map(([, value]) => value);
    expect(await controls(counting)).toEqual(["no-store"]);
    expect(await controls(cached)).toEqual(["private"]);
    expect(await controls(looking)).toEqual([]);
  });

  it("goes with the accept of a WebSocket", async () => {
    const { ask, socket } = world();
    await using client = socket(async ({ session }, receive, send) => {
      session.set(theme, "dark");
      await send({ type: "websocket.accept", headers: [["x-one", "1"]] });
      await receive.pipe(() => {});
    });
    const { headers } = await client.connect();
    expect(headers).toEqual([
      ["x-one", "1"],
      ["set-cookie", expect.stringMatching(/^__Host-sessionid=.{43}; Max-Age=/)],
    ]);
    expect(await ask(looking, cookieOf(headers ?? []).cookie)).toMatchObject({ text: "true" });
  });

  it("goes with the response that refuses a handshake", async () => {
    const { socket } = world();
    await using client = socket(async ({ session }, _receive, send) => {
      session.set(theme, "dark");
      await send({ type: "websocket.http.response.start", status: 302, headers: [["location", "/login"]] });
      await send({ type: "websocket.http.response.body" });
    });
    const { headers } = await client.connect();
    expect(headers?.map(([name]) => name)).toEqual(expect.arrayContaining(["location", "set-cookie"]));
  });

  it("has another name and is not secure where that is asked for", async () => {
    const { ask } = world({ secure: false });
    const { setCookie, cookie } = await ask(counting);
    expect(setCookie).toMatch(/^sessionid=.{43}; Max-Age=1209600; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(await ask(counting, cookie)).toMatchObject({ text: "2" });
    expect(await ask(counting, `__Host-${cookie}`)).toMatchObject({ text: "1" });
  });

  it("may have a name of its own", async () => {
    const { ask } = world({ cookie: "__Host-shop" });
    expect((await ask(counting)).setCookie).toMatch(/^__Host-shop=.{43}; .*; Secure;/);
  });

  it.each([
    "__Host-sessionid=",
    "__Host-sessionid=forged",
    `__Host-sessionid=${"A".repeat(43)}`,
    `__Host-sessionid=${"A".repeat(10_000)}`,
    `sessionid=${"A".repeat(43)}`,
    "__Host-sessionid",
  ])("that is forged is nobody's: %.60s", async (cookie) => {
    const { ask, store } = world();
    expect(await ask(looking, cookie)).toMatchObject({ status: 200, text: "false", setCookie: undefined });
    // What a stranger has chosen is never taken for a key.
    const begun = await ask(counting, cookie);
    expect(begun.setCookie).toBeDefined();
    expect(begun.cookie).not.toBe(cookie);
    expect(store.size).toBe(1);
  });
});

describe("the life of a session", () => {
  it("ends after its idle lifetime, at which it is not renewed", async () => {
    const { clock, ask } = world({ idleLifetime: day });
    const { cookie } = await ask(counting);
    await clock.advance(day - 1);
    expect(await ask(looking, cookie)).toMatchObject({ text: "true" });
    await clock.advance(day);
    expect(await ask(looking, cookie)).toMatchObject({ text: "false" });
    expect(await ask(looking, cookie)).toMatchObject({ text: "false" });
  });

  it("ends after its lifetime, however busy it is", async () => {
    const { clock, ask } = world({ lifetime: 3 * day, idleLifetime: day });
    const { cookie, setCookie } = await ask(counting);
    expect(setCookie).toContain("; Max-Age=259200;");
    for (let hour = 1; hour < 72; hour += 1) {
      await clock.advance(day / 24);
      expect(await ask(counting, cookie)).toMatchObject({ text: String(hour + 1) });
    }
    await clock.advance(day / 24 - 1);
    expect(await ask(looking, cookie)).toMatchObject({ text: "true" });
    await clock.advance(1);
    expect(await ask(looking, cookie)).toMatchObject({ text: "false" });
  });

  it("is 14 days and 7 days of idleness, if nothing is said", async () => {
    const { clock, ask } = world();
    const busy = await ask(counting);
    const idle = await ask(counting);
    await clock.advance(7 * day - 1);
    await ask(looking, busy.cookie);
    await clock.advance(1);
    expect(await ask(looking, idle.cookie)).toMatchObject({ text: "false" });
    await clock.advance(7 * day - 2);
    expect(await ask(looking, busy.cookie)).toMatchObject({ text: "true" });
  });

  it("goes on at the minute it may be idle for", async () => {
    const { clock, ask } = world({ idleLifetime: minute });
    const { cookie } = await ask(counting);
    for (let round = 0; round < 10; round += 1) {
      await clock.advance(minute - minute / 10);
      expect(await ask(looking, cookie)).toMatchObject({ text: "true" });
    }
  });

  it("notes its use once a minute, and once for many requests at a time", async () => {
    const { clock, store, ask } = world();
    let touched = 0;
    let finish: () => void = () => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    store.touch = async () => {
      touched += 1;
      await slow;
    };
    const { cookie } = await ask(counting);
    await ask(looking, cookie);
    await clock.advance(minute - 1);
    await ask(looking, cookie);
    expect(touched).toBe(0);
    await clock.advance(1);
    await Promise.all(Array.from({ length: 10 }, () => ask(looking, cookie)));
    expect(touched).toBe(1);
    finish();
  });

  it("does not hang on the note of its use", async () => {
    const { clock, store, ask, logger } = world();
    store.touch = () => Promise.reject(new StoreUnavailable("away"));
    const { cookie } = await ask(counting);
    await clock.advance(minute);
    expect(await ask(looking, cookie)).toMatchObject({ text: "true" });
    expect(logger.lines).toMatchObject([{ level: "warn", message: "the last use of a session could not be noted" }]);
    expect(JSON.stringify(logger.lines)).not.toContain(cookie.slice(-43));
  });
});

describe("what is put in", () => {
  it("is a frozen copy", async () => {
    const { ask } = world();
    const list = sessionKey<string[]>("list");
    const mine = ["a"];
    const { text } = await ask(async ({ session }, _receive, send) => {
      session.set(list, mine);
      mine.push("b");
      expect(() => session.get(list)?.push("c")).toThrow(TypeError);
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: JSON.stringify(session.get(list)) });
    });
    expect(text).toBe('["a"]');
  });

  it.each([undefined, () => 1, 1n, Number.NaN, new Date(0), new Map()])("cannot be %s", async (value) => {
    const { ask } = world();
    await ask(async (scope, receive, send) => {
      expect(() => scope.session.set(sessionKey<unknown>("odd"), value)).toThrow(/plain data .* "odd"/);
      await looking(scope, receive, send);
    });
  });

  it("reads as undefined where it is not what is expected any more", async () => {
    const { ask } = world();
    const { cookie } = await ask(async (scope, receive, send) => {
      scope.session.set(sessionKey<string>("visits"), "many");
      await looking(scope, receive, send);
    });
    expect(await ask(counting, cookie)).toMatchObject({ text: "1" });
  });

  it("is taken out again", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(counting);
    await ask(async (scope, receive, send) => {
      scope.session.delete(visits);
      await looking(scope, receive, send);
    }, cookie);
    expect(await store.find(await webDigest(cookie.slice(-43)))).toMatchObject({ data: {} });
  });

  it("by two requests at a time is all there", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(counting);
    let others = 2;
    let together: () => void = () => {};
    const met = new Promise<void>((resolve) => {
      together = resolve;
    });
    const putting = (name: string) =>
      ask(async (scope, receive, send) => {
        others -= 1;
        if (others === 0) together();
        await met;
        scope.session.set(sessionKey<string>(name), name);
        await looking(scope, receive, send);
      }, cookie);
    await Promise.all([putting("one"), putting("two")]);
    expect((await store.find(await webDigest(cookie.slice(-43))))?.data).toEqual({ visits: 1, one: "one", two: "two" });
  });

  it("after the response has begun is saved when the application returns", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(counting);
    await ask(async ({ session }, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      session.set(theme, "dark");
      await send({ type: "http.response.body" });
    }, cookie);
    expect((await store.find(await webDigest(cookie.slice(-43))))?.data).toEqual({ visits: 1, theme: "dark" });
  });

  it("on an open WebSocket is saved by save(), and when it has ended", async () => {
    const { ask, socket, store } = world();
    const { cookie } = await ask(counting);
    const data = async () => (await store.find(await webDigest(cookie.slice(-43))))?.data;
    {
      await using client = socket(async ({ session }, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe(async (event) => {
          if (event.type !== "websocket.receive") return;
          session.set(theme, event.text ?? "");
          if (event.text === "dark") await session.save();
          await send({ type: "websocket.send", text: "done" });
        });
      }, cookie);
      await client.connect();
      client.sendTo("dark");
      await client.receiveFrom();
      expect(await data()).toEqual({ visits: 1, theme: "dark" });
      client.sendTo("light");
      await client.receiveFrom();
      expect(await data()).toEqual({ visits: 1, theme: "dark" });
    }
    expect(await data()).toEqual({ visits: 1, theme: "light" });
  });

  it("cannot begin a session when no cookie can be set any more", async () => {
    const { ask, store } = world();
    await ask(async ({ session }, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      expect(() => session.set(theme, "dark")).toThrow(/expected a session to begin before the response or the accept/);
      await send({ type: "http.response.body" });
    });
    expect(store.size).toBe(0);
  });

  it("is not brought back to a session that has ended meanwhile", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(counting);
    const answer = await ask(async (scope, receive, send) => {
      await store.remove(scope.session.id ?? "");
      await counting(scope, receive, send);
    }, cookie);
    expect(answer).toMatchObject({ status: 200, setCookie: undefined });
    expect(store.size).toBe(0);
  });

  it("leaves nothing in the store when no answer brought the cookie", async () => {
    const { askInVain, store } = world();
    const { status } = await askInVain(async ({ session }) => {
      session.set(theme, "dark");
      await session.save();
      expect(store.size).toBe(1);
      throw new Error("a fault of the application's");
    });
    expect(status).toBe(500);
    expect(store.size).toBe(0);
  });
});

describe("events behind an answer that waits for the store", () => {
  it("keep their order, also where nobody awaits them", async () => {
    const { socket } = world();
    await using client = socket(async ({ session }, receive, send) => {
      session.set(theme, "dark");
      void send({ type: "websocket.accept" });
      void send({ type: "websocket.send", text: "1" });
      void send({ type: "websocket.send", text: "2" });
      await receive.pipe(() => {});
    });
    await client.connect();
    expect([await client.receiveFrom(), await client.receiveFrom()]).toEqual(["1", "2"]);
  });
});

describe("a store that cannot be reached", () => {
  it("is 503 for who has a cookie, and nothing to who has none", async () => {
    const { ask, askInVain, store } = world();
    const { cookie } = await ask(counting);
    store.find = () => Promise.reject(new StoreUnavailable("away"));
    const answer = await askInVain(looking, cookie);
    expect(answer).toMatchObject({ status: 503, text: "Sessions cannot be looked up at the moment\n" });
    expect(answer.headers).toContainEqual(["retry-after", "1"]);
    expect(await ask(looking)).toMatchObject({ status: 200 });
  });

  it("fails the answer that would have set the cookie", async () => {
    const { askInVain, store } = world();
    store.create = () => Promise.reject(new StoreUnavailable("away"));
    expect(await askInVain(counting)).toMatchObject({ status: 500, setCookie: undefined });
  });

  it("is told of in the log where nobody else is left to tell", async () => {
    const { ask, store, logger } = world();
    const { cookie } = await ask(counting);
    store.save = () => Promise.reject(new StoreUnavailable("away"));
    await ask(async ({ session }, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      session.set(theme, "dark");
      await send({ type: "http.response.body" });
    }, cookie);
    expect(logger.lines).toMatchObject([{ level: "warn", message: "a session could not be saved at its end" }]);
  });

  it("does not lose a change that is saved again", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(counting);
    const save = store.save.bind(store);
    await ask(async (scope, receive, send) => {
      scope.session.set(theme, "dark");
      store.save = () => Promise.reject(new StoreUnavailable("away"));
      await expect(scope.session.save()).rejects.toThrow(StoreUnavailable);
      store.save = save;
      await looking(scope, receive, send);
    }, cookie);
    expect((await store.find(await webDigest(cookie.slice(-43))))?.data).toEqual({ visits: 1, theme: "dark" });
  });
});

describe("a page of another site", () => {
  const evil: HeaderList = [["origin", "https://evil.example"]];
  const body = "Expected an Origin among example.com, got https://evil.example\n";

  test.each(["POST", "PUT", "PATCH", "DELETE", "BREW"])("cannot act for its visitor by %s", async (method) => {
    const { ask } = world();
    const { cookie } = await ask(counting);
    expect(await ask(counting, cookie, method, evil)).toMatchObject({ status: 403, text: body });
    expect(await ask(counting, cookie, method, origin)).toMatchObject({ status: 200, text: "2" });
  });

  test.each(["GET", "HEAD", "OPTIONS"])("may ask by %s, which changes nothing", async (method) => {
    const { ask } = world();
    expect((await ask(looking, "__Host-sessionid=x", method, evil)).status).toBe(200);
  });

  it("costs no look-up", async () => {
    const { ask, store } = world();
    const { cookie } = await ask(counting);
    store.find = () => {
      throw new Error("expected no look-up");
    };
    expect((await ask(counting, cookie, "POST", evil)).status).toBe(403);
  });

  it("cannot begin a session for its visitor, who has none", async () => {
    const { ask, store } = world();
    expect((await ask(counting, undefined, "POST", evil)).status).toBe(403);
    expect(store.size).toBe(0);
  });

  it("cannot open a WebSocket, with the cookie or without", async () => {
    const { ask, socket } = world();
    const { cookie } = await ask(counting);
    const open: App<"websocket", WithSession> = async (_scope, receive, send) => {
      await send({ type: "websocket.accept" });
      await receive.pipe(() => {});
    };
    for (const carried of [cookie, undefined]) {
      for (const headers of [evil, [], [["origin", "null"]] as HeaderList]) {
        await using client = socket(open, carried, headers);
        expect(await client.connect()).toMatchObject({ connected: false, status: 403 });
      }
      await using client = socket(open, carried);
      expect(await client.connect()).toMatchObject({ connected: true });
    }
  });

  const carrying: HeaderList = [["authorization", "Bearer x"]];
  test.each<[string, HeaderList, boolean, number]>([
    ["nothing, with the cookie", [], true, 403],
    ["nothing, without it", [], false, 200],
    ["Sec-Fetch-Site: same-origin", [["sec-fetch-site", "same-origin"]], true, 200],
    ["Sec-Fetch-Site: none", [["sec-fetch-site", "none"]], true, 200],
    ["Sec-Fetch-Site: same-site", [["sec-fetch-site", "same-site"]], true, 403],
    ["Sec-Fetch-Site: cross-site", [["sec-fetch-site", "cross-site"]], true, 403],
    ["Sec-Fetch-Site: cross-site, without the cookie", [["sec-fetch-site", "cross-site"]], false, 403],
    ["Origin: null", [["origin", "null"]], true, 403],
    [
      "Origin: null, as a referrer policy makes it",
      [
        ["origin", "null"],
        ["sec-fetch-site", "same-origin"],
      ],
      true,
      200,
    ],
    [
      "Origin: null, from a sandbox",
      [
        ["origin", "null"],
        ["sec-fetch-site", "cross-site"],
      ],
      true,
      403,
    ],
    ["an Origin that counts more than Sec-Fetch-Site", [...evil, ["sec-fetch-site", "same-origin"]], true, 403],
    ["the same, the other way round", [...origin, ["sec-fetch-site", "same-site"]], true, 200],
    ["two Origins", [...origin, ...evil], true, 403],
    ["an Authorization header, without the cookie", [...evil, ...carrying], false, 200],
    ["an Authorization header, with the cookie", [...evil, ...carrying], true, 403],
  ])("is told from others by %s", async (_what, headers, carries, status) => {
    const { ask } = world();
    const { cookie } = await ask(counting);
    expect((await ask(counting, carries ? cookie : undefined, "POST", headers)).status).toBe(status);
  });

  it("is told apart where clients without an Origin are let in", async () => {
    const { ask, socket } = world({ allowMissingOrigin: true });
    const { cookie } = await ask(counting);
    expect((await ask(counting, cookie, "POST")).status).toBe(200);
    expect((await ask(counting, cookie, "POST", evil)).status).toBe(403);
    await using client = socket(async (_scope, _receive, send) => send({ type: "websocket.accept" }), cookie, []);
    expect(await client.connect()).toMatchObject({ connected: true });
  });

  it("is none of a developer's own machine, where no host is named", async () => {
    const { ask } = world({ allowedHosts: [] });
    const post = (from: string) => ask(counting, undefined, "POST", [["origin", from]]);
    expect((await post("http://localhost:5173")).status).toBe(200);
    expect(await post("https://evil.example")).toMatchObject({
      status: 403,
      text: "Expected an Origin among localhost, 127.0.0.1, [::1], got https://evil.example\n",
    });
  });
});

test.each<[string, Partial<SessionOptions>, RegExp]>([
  ["everybody's pages", { allowedHosts: ["example.com", "*"] }, /expected allowedHosts to name the hosts .* got "\*"/],
  ["a host that never matches", { allowedHosts: ["https://example.com/path"] }, /bad origin pattern/],
  ["a secure cookie of any host", { cookie: "sessionid" }, /expected cookie to begin with "__Host-".* secure: false/],
  ["an insecure cookie with the prefix", { cookie: "__Host-x", secure: false }, /expected cookie without "__Host-"/],
  ["a cookie without a name", { cookie: "", secure: false }, /expected the name of a cookie, got ""/],
  ["a lifetime of less than a minute", { lifetime: minute - 1 }, /expected lifetime to be a whole number from 60000/],
  ["a lifetime that browsers cut", { lifetime: 401 * day }, /expected lifetime/],
  ["more idleness than life", { lifetime: day, idleLifetime: day + 1 }, /expected idleLifetime .* to 86400000/],
])("%s cannot be asked for", (_what, options, message) => {
  const make = () => SessionMiddleware({ store: new MemorySessionStore(), allowedHosts: [], ...options });
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(message);
});
