import { HttpCommunicator, WebsocketCommunicator } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import type { App, Connection } from "../app.js";
import { ConfigurationError } from "../errors.js";
import type { TokenVerifier } from "../ports/token-verifier.js";
import { path } from "../routing/path.js";
import { URLRouter } from "../routing/url-router.js";
import type { Authenticated } from "./authenticated.js";
import { fromFirstMessage, fromHeader } from "./carriers.js";
import { requireScope } from "./require-scope.js";
import { requireUser } from "./require-user.js";
import { TokenAuth } from "./token-auth.js";

/** A token is the list of its scopes. */
const verifier: TokenVerifier = {
  verify: (token) => ({
    user: { isAuthenticated: true, id: "1", username: "ada" },
    tokenId: "t1",
    expiresAt: undefined,
    ...(token === "plain" ? {} : { scopes: token.split("+") }),
  }),
};

const greet: App<"http", Authenticated> = async (scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: `${scope.user.username} ${scope.grant.tokenId}` });
};
const welcome: App<"websocket", Authenticated> = (scope, receive, send) =>
  receive.pipe(async (event) => {
    if (event.type !== "websocket.connect") return;
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: scope.user.username });
  });
const bearer = (token?: string): [string, string][] =>
  token === undefined ? [] : [["authorization", `Bearer ${token}`]];

const missing = ["Bearer", "Authentication credentials were not provided."] as const;
const insufficient = (scope: string) =>
  [
    `Bearer error="insufficient_scope", scope="${scope}"`,
    "You do not have permission to perform this action.",
  ] as const;

describe.each([
  ["requireUser", requireUser, undefined, 401, missing],
  ["requireUser", requireUser, "plain", 200, undefined],
  ["one scope", requireScope("chat:write"), undefined, 401, missing],
  ["one scope", requireScope("chat:write"), "plain", 403, insufficient("chat:write")],
  ["one scope", requireScope("chat:write"), "chat:writer+chat", 403, insufficient("chat:write")],
  ["one scope", requireScope("chat:write"), "chat:read+chat:write", 200, undefined],
  ["two scopes", requireScope("a", "b"), "a", 403, insufficient("a b")],
  ["two scopes", requireScope("a", "b"), "b+a", 200, undefined],
] as const)("%s", (_, guard, token, status, refusal) => {
  it(`answers ${token ?? "no token"} over HTTP with ${status}`, async () => {
    const app = TokenAuth(guard(greet), { verifier, from: [fromHeader()] });
    const response = await new HttpCommunicator(app, "GET", "/", { headers: bearer(token) }).getResponse();
    expect(response.status).toBe(status);
    if (refusal === undefined) expect(response.text()).toBe("ada t1");
    else {
      expect(response.headers).toContainEqual(["www-authenticate", refusal[0]]);
      expect(response.json()).toEqual({ detail: refusal[1] });
    }
  });

  it(`answers ${token ?? "no token"} in a handshake with ${status}`, async () => {
    const app = TokenAuth(guard(welcome), { verifier, from: [fromHeader()] });
    const client = new WebsocketCommunicator(app, "/", { headers: bearer(token) });
    const answer = await client.connect();
    if (refusal === undefined) expect(await client.receiveFrom()).toBe("ada");
    else expect(answer).toMatchObject({ status, headers: expect.arrayContaining([["www-authenticate", refusal[0]]]) });
    expect(client.logger.lines).toEqual([]);
  });

  it(`answers ${token ?? "no token"} in the first message with ${status}`, async () => {
    const app = TokenAuth(guard(welcome), { verifier, from: [fromFirstMessage()] });
    const client = new WebsocketCommunicator(app, "/");
    await client.connect();
    client.sendTo(token === undefined ? "hello" : JSON.stringify({ type: "auth", token }));
    if (refusal === undefined) expect(await client.receiveFrom()).toBe("ada");
    else expect(await client.receiveClose()).toEqual({ code: 4000 + status, reason: refusal[1] });
  });
});

it("stands between routers, which see through it", async () => {
  const inner = requireUser(URLRouter([path("me/", greet)]));
  const anyone: App<Connection> = async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 204 });
    await send({ type: "http.response.body" });
  };
  const app = TokenAuth(URLRouter([path("api/", inner), path("api/news/", anyone as App<"http">)]), {
    verifier,
    from: [fromHeader()],
  });
  const status = async (target: string) => (await new HttpCommunicator(app, "GET", target).getResponse()).status;
  expect(await status("/api/me/")).toBe(401);
  expect(await status("/api/news/")).toBe(204);
  expect(await status("/api/other/")).toBe(404);
});

it.each(["", "chat write", 'chat"write', "chat\\write", "chat\r\nwrite", "chät"])("refuses %j as a scope", (name) => {
  expect(() => requireScope(name)).toThrow(ConfigurationError);
});
