import { FakeClock, HttpCommunicator, WebsocketCommunicator } from "@sluice/testing";
import { describe, expect, test } from "vitest";
import type { App, MaybePromise } from "../app.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import { Leases } from "../leases/leases.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import type { MaybeAuthenticated, Renew } from "./authenticated.js";
import { fromFirstMessage, fromHeader } from "./carriers.js";
import { requireScope } from "./require-scope.js";
import { requireUser } from "./require-user.js";
import { TokenAuth, type TokenAuthOptions } from "./token-auth.js";
import type { User } from "./user.js";
import { Refusal } from "./verdict.js";

const start = Date.UTC(2026, 0, 1);
const ada: User = { isAuthenticated: true, id: "ada", username: "ada" };
const bob: User = { isAuthenticated: true, id: "bob", username: "bob" };

/** By token. Each is named by itself, which no other verifier would do. */
const grants: Readonly<Record<string, Grant>> = Object.fromEntries(
  (
    [
      ["short", ada, start + 1_000],
      ["long", ada, start + 61_500],
      ["endless", ada, undefined],
      ["expired", ada, start],
      ["bob's", bob, undefined],
    ] as const
  ).map(([tokenId, user, expiresAt]) => [tokenId, { tokenId, user, expiresAt }]),
);

type Outcome = { readonly grant: string; readonly expiresIn: number | undefined } | string;

/** A connection whose application hands its renewal to the test, and echoes. */
function world(more: Partial<TokenAuthOptions<User>> = {}) {
  const clock = new FakeClock(start);
  const leases = new Leases({ layer: new InMemoryChannelLayer({ clock }), clock });
  const verifier: TokenVerifier = { verify: (token) => grants[token] };
  const options = { verifier, from: [fromHeader(), fromFirstMessage()], leases, clock, ...more };
  const renewals: Renew[] = [];
  const events: string[] = [];
  const app: App<"websocket", MaybeAuthenticated> = (scope, receive, send) => {
    if (scope.renew !== undefined) renewals.push(scope.renew);
    return receive.pipe(async (event) => {
      if (event.type === "websocket.connect") await send({ type: "websocket.accept" });
      else if (event.type === "websocket.disconnect") events.push(`disconnect ${event.code} ${event.reason}`);
      else if (event.text === "close") await send({ type: "websocket.close", code: 4000 });
      else await send({ type: "websocket.send", text: `${event.text}` });
    });
  };
  const open = async (token?: string): Promise<WebsocketCommunicator> => {
    const headers: [string, string][] = token === undefined ? [] : [["authorization", `Bearer ${token}`]];
    const anonymous = token === undefined ? { from: [fromHeader()] } : {};
    const client = new WebsocketCommunicator(TokenAuth(app, { ...options, ...anonymous }), "/", { headers });
    expect(await client.connect()).toMatchObject({ connected: true });
    return client;
  };
  /** How the renewal of the connection that was opened last went: the error code of one that was refused. */
  const renew = async (token: string): Promise<Outcome> => {
    try {
      const { grant, expiresIn } = (await renewals.at(-1)?.(token)) ?? {};
      return { grant: `${grant?.tokenId}`, expiresIn };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.error;
    }
  };
  const echoes = async (client: WebsocketCommunicator): Promise<void> => {
    client.sendTo("still here");
    expect(await client.receiveFrom()).toBe("still here");
  };
  return { clock, leases, options, app, events, open, renew, echoes };
}

/** Answers when the test says so. */
function slowVerifier() {
  const answers: (() => void)[] = [];
  const verifier: TokenVerifier = {
    verify: (token): MaybePromise<Grant | undefined> =>
      token === "short" ? grants.short : new Promise((resolve) => answers.push(() => resolve(grants[token]))),
  };
  return { verifier, answer: () => answers.shift()?.() };
}

describe.each([
  ["with leases", undefined],
  ["without leases", { leases: undefined }],
])("%s", (_, more) => {
  test("a token of the same user takes the place of the first, again and again", async () => {
    const { open, renew, echoes } = world(more);
    const client = await open("short");
    expect(await renew("long")).toEqual({ grant: "long", expiresIn: 61 });
    expect(await renew("endless")).toEqual({ grant: "endless", expiresIn: undefined });
    expect(await renew("short")).toEqual({ grant: "short", expiresIn: 1 });
    await echoes(client);
  });

  test.each([
    ["forged", "invalid_token"],
    ["", "invalid_token"],
    ["x".repeat(8193), "invalid_token"],
    ["bob's", "user_mismatch"],
  ])("the token %.10s is refused, and the connection is as it was", async (token, error) => {
    const { open, renew, echoes } = world({ ...more, onInvalid: "anonymous" });
    const client = await open("short");
    expect(await renew(token)).toBe(error);
    await echoes(client);
    expect(await renew("long")).toMatchObject({ grant: "long" });
  });

  test.each<[string, () => Promise<never>]>([
    ["rejects", () => Promise.reject(new Error("the store is down"))],
    [
      "throws",
      () => {
        throw new Error("the store is down");
      },
    ],
  ])("a verifier that %s refuses nobody for good", async (_name, fail) => {
    let down = false;
    const { open, renew, echoes } = world({
      ...more,
      verifier: { verify: (token) => (down ? fail() : grants[token]) },
    });
    const client = await open("short");
    down = true;
    expect(await renew("long")).toBe("temporarily_unavailable");
    await echoes(client);
    down = false;
    expect(await renew("long")).toMatchObject({ grant: "long" });
  });

  test("anonymous becomes a user once", async () => {
    const { open, renew, echoes } = world(more);
    const client = await open();
    expect(await renew("forged")).toBe("invalid_token");
    expect(await renew("bob's")).toMatchObject({ grant: "bob's" });
    expect(await renew("long")).toBe("user_mismatch");
    expect(await renew("bob's")).toMatchObject({ grant: "bob's" });
    await echoes(client);
  });

  test("of two who come at the same time anonymous becomes one", async () => {
    const { verifier, answer } = slowVerifier();
    const { open, renew } = world({ ...more, verifier });
    await open();
    const both = Promise.all([renew("long"), renew("bob's")]);
    answer();
    answer();
    expect(await both).toEqual([{ grant: "long", expiresIn: 61 }, "user_mismatch"]);
  });

  test("a connection whose token came in the first message, or that went without, is renewed as any other", async () => {
    const { options, app, renew, echoes } = world(more);
    for (const first of ['{"type":"auth","token":"short"}', "hello"]) {
      const client = new WebsocketCommunicator(TokenAuth(app, options), "/");
      await client.connect();
      client.sendTo(first);
      client.sendTo("a");
      if (first === "hello") expect(await client.receiveFrom()).toBe("hello");
      expect(await client.receiveFrom()).toBe("a");
      expect(await renew("long")).toMatchObject({ grant: "long" });
      expect(await renew("bob's")).toBe("user_mismatch");
      await echoes(client);
    }
  });

  test("a request has nothing to renew", async () => {
    const { options } = world(more);
    const app: App<"http", MaybeAuthenticated> = async ({ user, renew }, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: `${user.username} ${typeof renew}` });
    };
    const headers: [string, string][] = [["authorization", "Bearer long"]];
    const response = await new HttpCommunicator(TokenAuth(app, options), "GET", "/", { headers }).getResponse();
    expect(response.text()).toBe("ada undefined");
  });
});

describe("the lease", () => {
  test("lasts as long as the new token", async () => {
    const { clock, leases, open, renew, echoes, events } = world();
    const client = await open("short");
    await renew("long");
    await clock.advance(61_499);
    await echoes(client);
    expect(leases.leasesOf("ada")).toEqual([{ tokenId: "long", sessionId: undefined, since: start }]);
    await clock.advance(1);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });
    await client.disconnect();
    expect([events, leases.size]).toEqual([["disconnect 4401 expired"], 0]);
  });

  test("ends with the old token where the renewal is refused", async () => {
    const { clock, open, renew } = world();
    const client = await open("short");
    for (const token of ["forged", "bob's", "expired"])
      expect(await renew(token)).toMatch(/invalid_token|user_mismatch/);
    await clock.advance(1_000);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });
  });

  test("ends by the new token, and no more by the old one", async () => {
    const { leases, open, renew, echoes } = world();
    const client = await open("short");
    await renew("long");
    await leases.revokeToken("short");
    await echoes(client);
    await leases.revokeToken("long", "logged_out");
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "logged_out" });
  });

  test("begins when anonymous becomes a user", async () => {
    const { clock, leases, open, renew, echoes } = world();
    const client = await open();
    expect(leases.size).toBe(0);
    await renew("short");
    expect(leases.size).toBe(1);
    await renew("long");
    await clock.advance(2_000);
    await echoes(client);
    await leases.revokeUser("ada");
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "revoked" });
    await client.disconnect();
    expect(leases.size).toBe(0);
  });

  test("is the old one where the new token was revoked while it was verified", async () => {
    const { verifier, answer } = slowVerifier();
    const { clock, leases, open, renew, echoes } = world({ verifier });
    const client = await open("short");
    const renewing = renew("long");
    await clock.advance(1);
    await leases.revokeToken("long");
    answer();
    expect(await renewing).toBe("invalid_token");
    await echoes(client);
    await clock.advance(999);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });
  });

  test("is none where the first token was revoked while it was verified, and anonymous stays", async () => {
    const { verifier, answer } = slowVerifier();
    const { clock, leases, open, renew, echoes } = world({ verifier });
    const client = await open();
    const renewing = renew("long");
    await leases.revokeUser("ada");
    await clock.advance(1);
    answer();
    expect(await renewing).toBe("invalid_token");
    await echoes(client);
    expect(leases.size).toBe(0);
    // A login after it.
    expect(await renew("short")).toMatchObject({ grant: "short" });
  });

  test("is over where the old token expires while the new one is verified", async () => {
    const { verifier, answer } = slowVerifier();
    const { clock, leases, open, renew, events } = world({ verifier });
    const client = await open("short");
    const renewing = renew("long");
    await clock.advance(1_000);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });
    answer();
    expect(await renewing).toBe("invalid_token");
    await client.disconnect();
    expect([events, leases.size]).toEqual([["disconnect 4401 expired"], 0]);
  });

  test.each<[string, string | undefined, (client: WebsocketCommunicator) => Promise<unknown>]>([
    ["a client that has left", "short", (client) => client.disconnect()],
    ["an anonymous client that has left", undefined, (client) => client.disconnect()],
    [
      "a connection that the application has closed",
      "short",
      async (client) => {
        client.sendTo("close");
        expect(await client.receiveClose()).toMatchObject({ code: 4000 });
      },
    ],
    [
      "an anonymous connection that the application has closed",
      undefined,
      async (client) => {
        client.sendTo("close");
        expect(await client.receiveClose()).toMatchObject({ code: 4000 });
      },
    ],
  ])("does not come back to %s", async (_, token, end) => {
    const { verifier, answer } = slowVerifier();
    const { clock, leases, open, renew } = world({ verifier });
    const client = await open(token);
    const renewing = renew("long");
    await end(client);
    answer();
    expect(await renewing).toBe("invalid_token");
    expect(leases.size).toBe(0);
    await leases.close();
    expect(clock.pending).toBe(0);
  });

  test("does not begin on an anonymous connection that is being closed", async () => {
    const { leases, options } = world({ from: [fromHeader()] });
    const outcomes: unknown[] = [];
    const app: App<"websocket", MaybeAuthenticated> = async (scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.close", code: 4000 });
      outcomes.push(await scope.renew?.("long").catch((error: Refusal) => error.error), leases.size);
    };
    const client = new WebsocketCommunicator(TokenAuth(app, options), "/");
    await client.connect();
    await client.disconnect();
    expect(outcomes).toEqual(["invalid_token", 0]);
  });

  test("begins with the token that the connection has when it is opened", async () => {
    const { leases, options } = world();
    const app: App<"websocket", MaybeAuthenticated> = async (scope, receive, send) => {
      await scope.renew?.("long");
      expect(leases.size).toBe(0);
      await send({ type: "websocket.accept" });
      await receive.pipe(() => {});
    };
    const headers: [string, string][] = [["authorization", "Bearer short"]];
    const client = new WebsocketCommunicator(TokenAuth(app, options), "/", { headers });
    await client.connect();
    expect(leases.leasesOf("ada")).toMatchObject([{ tokenId: "long" }]);
    await client.disconnect();
  });
});

test("a guard further in is asked about the new grant, too, and a refusal leaves everything as it was", async () => {
  const { clock, options, app } = world();
  const scopes = { short: ["chat:write"], long: [], endless: ["chat:write", "admin"] } as Record<string, string[]>;
  const verifier: TokenVerifier = {
    verify: (token) => ({ ...(grants[token] as Grant), scopes: scopes[token] ?? [] }),
  };
  let renewed: Renew | undefined;
  const noting: App<"websocket", MaybeAuthenticated> = (scope, receive, send) => {
    renewed = scope.renew;
    return app(scope, receive, send);
  };
  const guarded = TokenAuth(requireUser(requireScope("chat:write")(noting)), { ...options, verifier });
  const client = new WebsocketCommunicator(guarded, "/", { headers: [["authorization", "Bearer short"]] });
  expect(await client.connect()).toMatchObject({ connected: true });
  await expect(renewed?.("long")).rejects.toMatchObject({ error: "insufficient_scope" });
  await clock.advance(1_000);
  expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });

  const again = new WebsocketCommunicator(guarded, "/", { headers: [["authorization", "Bearer endless"]] });
  expect(await again.connect()).toMatchObject({ connected: true });
  await expect(renewed?.("endless")).resolves.toMatchObject({ expiresIn: undefined });
  await expect(
    renewed?.("endless", () => {
      throw new Refusal("insufficient", undefined, "more");
    }),
  ).rejects.toMatchObject({ error: "insufficient_scope", scope: "more" });
});
