import {
  asApp,
  fetchApp,
  fromFirstMessage,
  fromHeader,
  fromQuery,
  type Grant,
  JsonWebsocketConsumer,
  type SecurityEvent,
  StoreUnavailable,
  silentLogger,
  TokenAuth,
  type TokenVerifier,
} from "@sluice/core";
import { FakeClock, HttpCommunicator, WebsocketCommunicator } from "@sluice/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { limitGuesses } from "./token-guesses.js";

const ada: Grant = { user: { isAuthenticated: true, id: "1", username: "ada" }, tokenId: "t", expiresAt: undefined };
const start = Date.UTC(2026, 0, 1);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: start });
});
afterEach(() => {
  vi.useRealTimers();
});

class Hello extends JsonWebsocketConsumer {}

/** Statuses, 101 for what was accepted, and what the verifier was asked for. */
function world(most = 3) {
  const clock = new FakeClock(start);
  const events: SecurityEvent[] = [];
  const guesses = limitGuesses({ most, clock, onSecurityEvent: (event) => void events.push(event) });
  const asked: string[] = [];
  const verifier: TokenVerifier = {
    async verify(token) {
      asked.push(token);
      if (token === "broken") throw new StoreUnavailable("away");
      return token === "good" ? ada : undefined;
    },
  };
  const from = [fromHeader(), fromQuery("token")];
  const { onSecurityEvent } = guesses;
  const told: SecurityEvent[] = [];
  const errors = vi.fn();
  const logger = { ...silentLogger, error: errors };
  const consumer = asApp(Hello, { logger, onSecurityEvent: (event) => void told.push(event) });
  const hello = guesses.inside(consumer);
  const strict = guesses.outside(from)(TokenAuth(hello, { verifier, from, onSecurityEvent, onAnonymous: "deny" }));
  const lenient = guesses.outside(from)(TokenAuth(hello, { verifier, from, onSecurityEvent, onInvalid: "anonymous" }));
  const api = guesses.outside([fromHeader()])(
    TokenAuth(
      fetchApp(() => new Response("hello")),
      {
        verifier,
        from: [fromHeader()],
        onSecurityEvent,
        onInvalid: "anonymous",
      },
    ),
  );

  async function open(target: string, clientAddress = "192.0.2.1", app = strict): Promise<number> {
    await using client = new WebsocketCommunicator(app, target, { clientAddress, expectErrors: true });
    const handshake = await client.connect();
    return handshake.connected ? 101 : handshake.status;
  }
  /** A connection that is open, by a good token or by none. */
  async function renewing(clientAddress: string, target = "/?token=good"): Promise<WebsocketCommunicator> {
    const client = new WebsocketCommunicator(target === "/" ? lenient : strict, target, { clientAddress });
    await client.connect();
    return client;
  }
  async function ask(target: string, token?: string) {
    const headers: [string, string][] = token === undefined ? [] : [["authorization", `Bearer ${token}`]];
    return new HttpCommunicator(api, "GET", target, { clientAddress: "192.0.2.1", headers }).getResponse();
  }
  return {
    asked,
    events,
    told,
    errors,
    open,
    renewing,
    ask,
    /** The close code of a connection whose first message has this token in it. */
    async introduce(token: string) {
      const waiting = TokenAuth(hello, { verifier, from: [fromFirstMessage()], onSecurityEvent });
      await using client = new WebsocketCommunicator(guesses.outside(from)(waiting), "/", {
        clientAddress: "192.0.2.1",
      });
      await client.connect();
      client.sendJsonTo({ type: "auth", token });
      return (await client.receiveClose()).code;
    },
    openLeniently: (target: string) => open(target, "192.0.2.1", lenient),
    async pass(ms: number) {
      vi.setSystemTime(Date.now() + ms);
      await clock.advance(ms);
    },
  };
}

it("refuses an address after so many wrong tokens, before anybody looks, until the minute is over", async () => {
  const { open, asked, pass } = world();
  for (const token of ["a", "b", "c"]) expect(await open(`/?token=${token}`)).toBe(401);
  await pass(20_000);
  expect([await open("/?token=d"), await open("/?token=good"), await open("/?token=good", "192.0.2.2")]).toEqual([
    429, 429, 101,
  ]);
  expect(asked).toEqual(["a", "b", "c", "good"]);
  await pass(40_000);
  expect([await open("/?token=good"), await open("/?token=e"), await open("/?token=f")]).toEqual([101, 401, 401]);
  expect([await open("/?token=g"), await open("/?token=h")]).toEqual([401, 429]);
});

it("counts by the network for IPv6", async () => {
  const { open } = world();
  for (const host of ["1", "2", "3"]) expect(await open("/?token=a", `2001:db8::${host}`)).toBe(401);
  expect([await open("/?token=a", "2001:db8::4"), await open("/?token=a", "2001:db8:0:1::4")]).toEqual([429, 401]);
});

it("counts a wrong token where it only makes a client anonymous, over WebSocket and HTTP alike", async () => {
  const { openLeniently, open, ask } = world();
  expect([await openLeniently("/?token=a"), await open("/?token=a")]).toEqual([101, 401]);
  expect((await ask("/", "a")).status).toBe(200);
  const refused = await ask("/", "good");
  expect([refused.status, refused.json()]).toEqual([
    429,
    { detail: "Request was throttled. Expected available in 60 seconds." },
  ]);
  expect(refused.headers).toContainEqual(["retry-after", "60"]);
});

it("is not concerned with good tokens, with none, and with what nobody could or would look at", async () => {
  const { open, openLeniently, ask } = world(1);
  for (let time = 0; time < 3; time++) {
    expect([await open("/?token=good"), await open("/"), await openLeniently("/")]).toEqual([101, 401, 101]);
    expect([await open("/?token=broken"), await open("/?token=a&token=b")]).toEqual([503, 400]);
    expect((await ask("/?token=not-looked-at")).status).toBe(200);
  }
  await open("/?token=a");
  expect([await open("/?token=good"), await openLeniently("/"), (await ask("/")).status]).toEqual([429, 101, 200]);
});

it("counts a wrong token in the first message", async () => {
  const { introduce, open } = world(2);
  expect([await introduce("a"), await introduce("b")]).toEqual([4401, 4401]);
  expect(await open("/?token=good")).toBe(429);
});

it("can be told not to count", async () => {
  const { open } = world(0);
  for (let time = 0; time < 5; time++) expect(await open("/?token=a")).toBe(401);
});

it.each([
  ["with a token", "/?token=good"],
  ["without one", "/"],
])(
  "counts the wrong tokens that come on a connection that was opened %s, and looks at no more of them",
  async (_, target) => {
    const { asked, events, told, errors, open, renewing } = world(3);
    await using client = await renewing("192.0.2.7", target);
    const renew = async (token: string): Promise<unknown> => {
      client.sendJsonTo({ type: "auth", token });
      return ((await client.receiveJsonFrom()) as { type: string; code?: string }).code ?? "authenticated";
    };
    if (target !== "/") expect(await renew("good")).toBe("authenticated");
    for (const token of ["wrong 1", "wrong 2", "wrong 3"]) expect(await renew(token)).toBe("invalid_token");
    const before = asked.length;
    for (const token of ["wrong 4", "good"]) expect(await renew(token)).toBe("temporarily_unavailable");
    expect(asked).toHaveLength(before);
    const limit = { type: "limit", limit: "tokens", client: "192.0.2.7", protocol: "websocket" };
    expect(events.filter(({ type }) => type === "limit")).toEqual([limit, limit]);
    expect(told).toEqual([]);
    expect(errors).not.toHaveBeenCalled();
    expect(await open("/?token=good", "192.0.2.7")).toBe(429);
    expect(await open("/?token=good", "192.0.2.8")).toBe(101);
  },
);
