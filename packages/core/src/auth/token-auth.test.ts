import { FakeClock, HttpCommunicator, WebsocketCommunicator } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import type { App, Scope } from "../app.js";
import { ConfigurationError, DenyConnection, RouteNotFound } from "../errors.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import type { MaybeAuthenticated } from "./authenticated.js";
import { fromCookie, fromFirstMessage, fromHeader, fromQuery, fromSubprotocol } from "./carriers.js";
import { TokenAuth, type TokenAuthOptions } from "./token-auth.js";
import type { User } from "./user.js";

const ada: Grant = { user: { isAuthenticated: true, id: "1", username: "ada" }, tokenId: "t1", expiresAt: undefined };
const verifier: TokenVerifier = { verify: (token) => (token === "good" ? ada : undefined) };
const slowVerifier: TokenVerifier = { verify: async (token) => verifier.verify(token) };
const everywhere = [fromHeader(), fromCookie("session"), fromSubprotocol(), fromQuery("token")];

/** Accepts, says who is there, and echoes. */
function whoAmI(): { app: App<"websocket", MaybeAuthenticated>; scopes: (Scope<"websocket"> & MaybeAuthenticated)[] } {
  const scopes: (Scope<"websocket"> & MaybeAuthenticated)[] = [];
  return {
    scopes,
    app: (scope, receive, send) => {
      scopes.push(scope);
      return receive.pipe(async (event) => {
        if (event.type === "websocket.connect") {
          await send({ type: "websocket.accept" });
          await send({ type: "websocket.send", text: `hello ${scope.user.username || "stranger"}` });
        } else if (event.type === "websocket.receive") {
          await send({ type: "websocket.send", text: `echo ${event.text}` });
        }
      });
    },
  };
}

function client(
  options: Partial<TokenAuthOptions<User>> = {},
  request: { target?: string; headers?: [string, string][]; subprotocols?: string[]; clock?: FakeClock } = {},
) {
  const { app, scopes } = whoAmI();
  const guarded = TokenAuth(app, { verifier, from: everywhere, ...options });
  return { scopes, client: new WebsocketCommunicator(guarded, request.target ?? "/", request) };
}

describe("where a token may stand", () => {
  it.each([
    ["Authorization: Bearer", { headers: [["authorization", "Bearer good"]] }],
    ["Authorization: Token, in any case and spacing", { headers: [["Authorization", "tOKEN   good "]] }],
    ["a cookie among others", { headers: [["cookie", "a=1; session=good; b=2"]] }],
    ["a quoted cookie", { headers: [["cookie", 'session="good"']] }],
    ["the subprotocol", { subprotocols: ["access_token", "good"] }],
    ["the query, in any order", { target: "/?x=1&token=good" }],
    ["the query, percent-encoded", { target: "/?token=g%6Fod" }],
    ["the same token in two places", { target: "/?token=good", headers: [["authorization", "Bearer good"]] }],
  ] as [string, Parameters<typeof client>[1]][])("%s", async (_, request) => {
    for (const each of [verifier, slowVerifier]) {
      const { client: socket, scopes } = client({ verifier: each, onAnonymous: "deny" }, request);
      expect(await socket.connect()).toMatchObject({ connected: true });
      expect(await socket.receiveFrom()).toBe("hello ada");
      expect(scopes[0]?.grant).toBe(ada);
      await socket.disconnect();
    }
  });

  it("is not looked at where it was not asked for", async () => {
    const { client: socket } = client(
      { from: [fromHeader()] },
      { target: "/?token=good", headers: [["cookie", "session=good"]] },
    );
    await socket.connect();
    expect(await socket.receiveFrom()).toBe("hello stranger");
  });

  it("says what a carrier must be told", () => {
    expect(() => TokenAuth(whoAmI().app, { verifier, from: [] })).toThrow(ConfigurationError);
    expect(() => fromCookie("a b")).toThrow(ConfigurationError);
    expect(() => fromQuery("")).toThrow(ConfigurationError);
  });
});

describe("the subprotocol that carries a token", () => {
  it("is answered with its name alone, and hidden from the application", async () => {
    const { client: socket, scopes } = client({}, { subprotocols: ["chat.v1", "access_token", "good", "chat.v2"] });
    expect(await socket.connect()).toMatchObject({ connected: true, subprotocol: "access_token" });
    expect(scopes[0]?.subprotocols).toEqual(["chat.v1", "chat.v2"]);
  });

  it("leaves the choice to an application that makes one", async () => {
    const app = TokenAuth((_scope, _receive, send) => send({ type: "websocket.accept", subprotocol: "chat.v1" }), {
      verifier,
      from: everywhere,
    });
    const socket = new WebsocketCommunicator(app, "/", { subprotocols: ["access_token", "good", "chat.v1"] });
    expect(await socket.connect()).toMatchObject({ subprotocol: "chat.v1" });
  });
});

describe("no good token", () => {
  const invalid: [string, Parameters<typeof client>[1]][] = [
    ["unknown", { target: "/?token=bad" }],
    ["blank in the query", { target: "/?token=" }],
    ["blank in the header", { headers: [["authorization", "Bearer"]] }],
    ["blank in a cookie", { headers: [["cookie", "session="]] }],
    ["missing after its subprotocol", { subprotocols: ["access_token"] }],
    ["with a space in it", { headers: [["authorization", "Bearer good good"]] }],
    ["of control characters", { target: "/?token=%00%0d%0a" }],
    ["100 KB long", { target: `/?token=${"a".repeat(100_000)}` }],
  ];

  it.each(invalid)("%s: 401 before the application is called", async (_, request) => {
    const { client: socket, scopes } = client({}, request);
    expect(await socket.connect()).toEqual({
      connected: false,
      status: 401,
      headers: [
        ["content-type", "application/json"],
        ["www-authenticate", 'Bearer error="invalid_token"'],
      ],
      body: '{"detail":"Invalid token."}',
    });
    expect(scopes).toEqual([]);
  });

  it.each(invalid)("%s: anonymous where that is wanted", async (_, request) => {
    const { client: socket, scopes } = client({ onInvalid: "anonymous" }, request);
    expect(await socket.connect()).toMatchObject({ connected: true });
    expect(scopes[0]).toMatchObject({
      user: { isAuthenticated: false, id: undefined, username: "" },
      grant: undefined,
    });
  });

  it("over-long: the verifier is not asked", async () => {
    let asked = 0;
    const counting: TokenVerifier = { verify: () => void asked++ };
    const { client: socket } = client({ verifier: counting }, { target: `/?token=${"a".repeat(8193)}` });
    expect(await socket.connect()).toMatchObject({ status: 401 });
    expect(asked).toBe(0);
  });

  it("none at all: anonymous, or 401 without an error code where that is not wanted", async () => {
    const { client: open } = client();
    await open.connect();
    expect(await open.receiveFrom()).toBe("hello stranger");
    for (const headers of [[], [["authorization", "Basic Z29vZA=="]], [["cookie", "sessionx=good"]]] as [
      string,
      string,
    ][][]) {
      const { client: closed } = client({ onAnonymous: "deny" }, { headers });
      expect(await closed.connect()).toEqual({
        connected: false,
        status: 401,
        headers: [
          ["content-type", "application/json"],
          ["www-authenticate", "Bearer"],
        ],
        body: '{"detail":"Authentication credentials were not provided."}',
      });
    }
  });

  it("an invalid one does not become welcome as anonymous where anonymous is not", async () => {
    const { client: socket } = client({ onInvalid: "anonymous", onAnonymous: "deny" }, { target: "/?token=bad" });
    expect(await socket.connect()).toMatchObject({ connected: false, status: 401 });
  });

  it.each([
    ["two in the query", { target: "/?token=good&token=bad" }],
    [
      "two headers",
      {
        headers: [
          ["authorization", "Bearer good"],
          ["authorization", "Bearer bad"],
        ],
      },
    ],
    [
      "header and cookie",
      {
        headers: [
          ["authorization", "Bearer good"],
          ["cookie", "session=bad"],
        ],
      },
    ],
  ] as [string, Parameters<typeof client>[1]][])("%s that differ: 400", async (_, request) => {
    const { client: socket } = client({ onInvalid: "anonymous" }, request);
    expect(await socket.connect()).toMatchObject({
      status: 400,
      headers: expect.arrayContaining([["www-authenticate", 'Bearer error="invalid_request"']]),
    });
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("database down"))],
    [
      "throws",
      () => {
        throw new Error("database down");
      },
    ],
  ])("a verifier that %s: 503, and the cause in the log", async (_, verify) => {
    const { client: socket } = client({ verifier: { verify }, onInvalid: "anonymous" }, { target: "/?token=good" });
    expect(await socket.connect()).toMatchObject({ connected: false, status: 503 });
    expect(socket.logger.errors).toEqual([expect.any(DenyConnection)]);
    expect(socket.logger.errors[0]).toMatchObject({ cause: new Error("database down") });
  });
});

describe('denial: "close"', () => {
  it.each([
    ["an invalid token", { target: "/?token=bad" }, 4401, "Invalid token."],
    ["no token", {}, 4401, "Authentication credentials were not provided."],
    ["two tokens", { target: "/?token=a&token=b" }, 4400, "Expected one token, got different ones in one request."],
  ])("%s: accepts and closes", async (_, request, code, reason) => {
    const { client: socket } = client({ denial: "close", onAnonymous: "deny" }, request);
    expect(await socket.connect()).toMatchObject({ connected: true });
    expect(await socket.receiveClose()).toEqual({ code, reason });
  });

  it("answers the subprotocol, or a browser would not see the close", async () => {
    const { client: socket } = client({ denial: "close" }, { subprotocols: ["access_token", "bad"] });
    expect(await socket.connect()).toMatchObject({ connected: true, subprotocol: "access_token" });
    expect(await socket.receiveClose()).toMatchObject({ code: 4401 });
  });
});

describe("a verifier that cannot work", () => {
  const failing: TokenVerifier = { verify: () => Promise.reject(new Error("database down")) };

  it("is in the log, whichever way the client is told", async () => {
    const { client: closed } = client({ verifier: failing, denial: "close" }, { target: "/?token=good" });
    await closed.connect();
    expect(await closed.receiveClose()).toEqual({ code: 1013, reason: "Tokens cannot be verified at the moment." });
    const { client: first } = client({ verifier: failing, from: [fromFirstMessage()] });
    await first.connect();
    first.sendTo('{"type":"auth","token":"good"}');
    expect(await first.receiveClose()).toMatchObject({ code: 1013 });
    for (const socket of [closed, first]) {
      await socket.disconnect();
      expect(socket.logger.errors).toEqual([expect.objectContaining({ cause: new Error("database down") })]);
    }
  });
});

describe("HTTP", () => {
  const app = TokenAuth(
    (scope, _receive, send) => {
      void send({ type: "http.response.start", status: 200 });
      return send({ type: "http.response.body", body: scope.user.username });
    },
    { verifier, from: everywhere, onAnonymous: "deny", denial: "close" },
  );

  it("is held to the same rules", async () => {
    const request = (headers: [string, string][]) => new HttpCommunicator(app, "GET", "/", { headers }).getResponse();
    expect((await request([["authorization", "Token good"]])).text()).toBe("ada");
    expect(await request([["authorization", "Token bad"]])).toMatchObject({ status: 401 });
    expect(await request([])).toMatchObject({ status: 401 });
  });
});

describe("the first message", () => {
  const from = [fromHeader(), fromFirstMessage({ timeout: 1_000 })];
  const auth = (token: string) => JSON.stringify({ type: "auth", token });

  it("may carry the token, and the application never sees it", async () => {
    const { client: socket } = client({ from, onAnonymous: "deny" });
    expect(await socket.connect()).toMatchObject({ connected: true });
    socket.sendTo(auth("good"));
    expect(await socket.receiveFrom()).toBe("hello ada");
    socket.sendTo("next");
    expect(await socket.receiveFrom()).toBe("echo next");
    await socket.disconnect();
  });

  it("is not waited for when the handshake carried one", async () => {
    const { client: socket } = client({ from }, { headers: [["authorization", "Bearer good"]] });
    await socket.connect();
    expect(await socket.receiveFrom()).toBe("hello ada");
  });

  it.each([
    ["a bad token", auth("bad"), "Invalid token."],
    ["no JSON", "hello", "Authentication credentials were not provided."],
    ["JSON of another kind", "[1]", "Authentication credentials were not provided."],
    ["JSON null", "null", "Authentication credentials were not provided."],
    ["a token that is no string", '{"type":"auth","token":1}', "Authentication credentials were not provided."],
    ["bytes", new Uint8Array([1]), "Authentication credentials were not provided."],
  ])("%s: 4401", async (_, message, reason) => {
    const { client: socket, scopes } = client({ from, onAnonymous: "deny" });
    await socket.connect();
    socket.sendTo(message);
    expect(await socket.receiveClose()).toEqual({ code: 4401, reason });
    expect(scopes).toEqual([]);
  });

  it("that carries none is the application's, where anonymous is allowed", async () => {
    const { client: socket } = client({ from });
    await socket.connect();
    socket.sendTo("first");
    expect(await socket.receiveFrom()).toBe("hello stranger");
    expect(await socket.receiveFrom()).toBe("echo first");
  });

  it("must come in time", async () => {
    const clock = new FakeClock();
    const { client: socket } = client({ from, clock }, { clock });
    await socket.connect();
    await clock.advance(999);
    expect(await socket.receiveNothing(0)).toBe(true);
    await clock.advance(1);
    expect(await socket.receiveClose()).toEqual({ code: 4408, reason: "no token in time" });
  });

  it("need not come from a client that leaves", async () => {
    const { client: socket, scopes } = client({ from });
    await socket.connect();
    await socket.disconnect();
    expect([scopes, socket.logger.lines]).toEqual([[], []]);
  });

  it.each<[string, App<"websocket">, { code: number; reason: string }]>([
    ["close", (_scope, _receive, send) => send({ type: "websocket.close" }), { code: 4403, reason: "" }],
    [
      "close with a code",
      (_scope, _receive, send) => send({ type: "websocket.close", code: 4404 }),
      { code: 4404, reason: "" },
    ],
    [
      "DenyConnection",
      () => {
        throw new DenyConnection({ status: 403 });
      },
      { code: 4403, reason: "" },
    ],
    [
      "RouteNotFound",
      () => {
        throw new RouteNotFound("none");
      },
      { code: 4404, reason: "Not Found" },
    ],
    [
      "a denial response",
      (_scope, _receive, send) => send({ type: "websocket.http.response.start", status: 429 }),
      { code: 4429, reason: "" },
    ],
    [
      "an accept with headers",
      (_scope, _receive, send) => send({ type: "websocket.accept", headers: [["a", "b"]] }),
      { code: 1011, reason: "internal error" },
    ],
    [
      "a send",
      (_scope, _receive, send) => send({ type: "websocket.send", text: "a" }),
      { code: 1011, reason: "internal error" },
    ],
  ])("came too late for a refusal, so %s becomes a close frame", async (_, app, frame) => {
    const socket = new WebsocketCommunicator(TokenAuth(app, { verifier, from }), "/");
    await socket.connect();
    socket.sendTo(auth("good"));
    expect(await socket.receiveClose()).toEqual(frame);
  });
});
