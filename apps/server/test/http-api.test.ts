import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goodPassword, member, post } from "./client.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, refusedWith } from "./socket.js";

let server: ServerProcess;
beforeAll(async () => {
  server = await startServer({ env: { ALLOWED_ORIGINS: "https://App.example.com/" } });
});
afterAll(() => server.stop());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("POST /api/register", () => {
  it("answers 201 with the user, and never with the password", async () => {
    const response = await post(`${server.url}/api/register`, {
      username: "Grace",
      name: "Grace Hopper",
      password: goodPassword,
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ id: expect.any(String), username: "Grace", name: "Grace Hopper" });
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it.each([
    [
      "a name that is taken, in another case",
      { username: "gRACE", password: goodPassword },
      { username: ["A user with that username already exists."] },
    ],
    [
      "a short password",
      { username: "u1", password: "x7!kq" },
      { password: ["This password is too short. It must contain at least 8 characters."] },
    ],
    ["a common password", { username: "u1", password: "password1" }, { password: ["This password is too common."] }],
    [
      "a numeric password",
      { username: "u1", password: "8302947561830" },
      { password: ["This password is entirely numeric."] },
    ],
    [
      "a password like the username",
      { username: "marvellous", password: "marvellous1" },
      { password: ["The password is too similar to the username."] },
    ],
    [
      "a bad username",
      { username: "no spaces", password: goodPassword },
      { username: ["Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."] },
    ],
    [
      "a long username",
      { username: "a".repeat(151), password: goodPassword },
      { username: ["Ensure this field has no more than 150 characters."] },
    ],
    ["nothing", {}, { username: ["This field is required."], password: ["This field is required."] }],
    [
      "blanks",
      { username: "", password: "" },
      { username: ["This field may not be blank."], password: ["This field may not be blank."] },
    ],
    [
      "nulls",
      { username: null, password: null },
      { username: ["This field may not be null."], password: ["This field may not be null."] },
    ],
    [
      "objects",
      { username: {}, password: [] },
      { username: ["Not a valid string."], password: ["Not a valid string."] },
    ],
    [
      "a null character",
      { username: "a\u0000b", password: goodPassword, name: "\u0000" },
      { username: ["Null characters are not allowed."], name: ["Null characters are not allowed."] },
    ],
  ])("%s: 400 by field", async (_, body, faults) => {
    const response = await post(`${server.url}/api/register`, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(faults);
  });

  it("lets one of twenty have a name they all want", async () => {
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        post(`${server.url}/api/register`, { username: index % 2 === 0 ? "wanted" : "WANTED", password: goodPassword }),
      ),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 400)]);
  });
});

describe("POST /api/login", () => {
  beforeAll(() => member(server.url, "ada"));

  it.each([
    ["JSON", (url: string) => post(url, { username: "ada", password: goodPassword })],
    ["JSON, the name in another case", (url: string) => post(url, { username: "ADA", password: goodPassword })],
    [
      "a form",
      (url: string) =>
        fetch(url, { method: "POST", body: new URLSearchParams({ username: "ada", password: goodPassword }) }),
    ],
    [
      "multipart",
      (url: string) => {
        const body = new FormData();
        body.set("username", "ada");
        body.set("password", goodPassword);
        return fetch(url, { method: "POST", body });
      },
    ],
  ])("takes %s, with and without a slash at the end", async (_, login) => {
    for (const path of ["/api/login", "/api/login/"]) {
      const response = await login(`${server.url}${path}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ token: expect.stringMatching(/^[\w-]{43}$/) });
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
  });

  it.each([
    ["a wrong password", { username: "ada", password: "wrong" }],
    ["an unknown user", { username: "nobody", password: goodPassword }],
    ["what can be nobody's name", { username: "no body", password: goodPassword }],
  ])("%s: 400, in the same words", async (_, body) => {
    const response = await post(`${server.url}/api/login/`, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ non_field_errors: ["Unable to log in with provided credentials."] });
  });

  it.each<[string, () => RequestInit, number, object]>([
    [
      "a missing field",
      () => ({ method: "POST", body: new URLSearchParams({ username: "ada" }) }),
      400,
      { password: ["This field is required."] },
    ],
    [
      "bad JSON",
      () => ({ method: "POST", headers: { "content-type": "application/json" }, body: '{"password": "s3cret' }),
      400,
      { detail: expect.stringMatching(/^JSON parse error - /) },
    ],
    [
      "JSON that is no object",
      () => ({ method: "POST", headers: { "content-type": "application/json" }, body: "[]" }),
      400,
      { non_field_errors: ["Invalid data. Expected a dictionary, but got a list."] },
    ],
    [
      "multipart that is none",
      () => ({ method: "POST", headers: { "content-type": "multipart/form-data; boundary=x" }, body: "nonsense" }),
      400,
      { detail: expect.stringMatching(/^Form parse error - /) },
    ],
    [
      "another content type",
      () => ({ method: "POST", headers: { "content-type": "text/plain" }, body: "username=ada" }),
      415,
      { detail: 'Unsupported media type "text/plain" in request.' },
    ],
    [
      "nothing at all",
      () => ({ method: "POST" }),
      400,
      { username: ["This field is required."], password: ["This field is required."] },
    ],
    ["GET", () => ({}), 405, { detail: 'Method "GET" not allowed.' }],
  ])("%s: an answer in words", async (_, request, status, content) => {
    const response = await fetch(`${server.url}/api/login/`, request());
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(content);
  });

  it("says what is allowed with a 405", async () => {
    expect((await fetch(`${server.url}/api/login`)).headers.get("allow")).toBe("POST, OPTIONS");
  });

  it("does not take a body of 1 MB", async () => {
    expect((await post(`${server.url}/api/login`, { username: "a".repeat(1_000_000), password: "" })).status).toBe(413);
  });
});

describe("tokens over HTTP", () => {
  it("POST /api/jwt gives a JWT, its time, the user and a refresh token, good for the next ones", async () => {
    const { id } = await member(server.url, "mary", "Mary");
    const response = await post(`${server.url}/api/jwt`, { username: "mary", password: goodPassword });
    const tokens = {
      access: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refresh: expect.stringMatching(/^[\w-]{107}$/),
      expires_in: 900,
    };
    const login = (await response.json()) as { access: string; refresh: string };
    expect(login).toEqual({ ...tokens, user: { id, username: "mary", name: "Mary" } });

    const refresh = (token: string) => post(`${server.url}/api/jwt/refresh/`, { refresh: token });
    const renewed = await refresh(login.refresh);
    expect(renewed.status).toBe(200);
    const next = (await renewed.json()) as { access: string; refresh: string };
    expect(next).toEqual(tokens);
    expect(next.refresh).not.toBe(login.refresh);
    expect((await fetch(`${server.url}/api/me`, { headers: bearer(next.access) })).status).toBe(200);
    // It gets tokens, and opens nothing by itself.
    expect((await fetch(`${server.url}/api/me`, { headers: bearer(next.refresh) })).status).toBe(401);
  });

  it.each<[string, unknown, number, object]>([
    ["nothing", {}, 400, { refresh: ["This field is required."] }],
    ["a token of nobody", { refresh: "a".repeat(107) }, 401, { detail: "Invalid token." }],
    ["nonsense", { refresh: "nonsense" }, 401, { detail: "Invalid token." }],
  ])("POST /api/jwt/refresh with %s: an answer in words", async (_, body, status, content) => {
    const response = await post(`${server.url}/api/jwt/refresh`, body);
    expect([response.status, await response.json()]).toEqual([status, content]);
    expect(response.headers.get("www-authenticate")).toBe(status === 401 ? 'Bearer error="invalid_token"' : null);
  });

  it.each(["token", "jwt"] as const)("a %s says who asks until they log out", async (kind) => {
    const user = await member(server.url, `leaves-by-${kind}`);
    const headers = bearer(user[kind]);
    const me = () => fetch(`${server.url}/api/me`, { headers });
    expect(await (await me()).json()).toMatchObject({ id: user.id, username: `leaves-by-${kind}` });
    expect((await post(`${server.url}/api/logout`, "", headers)).status).toBe(204);
    const after = await me();
    expect(after.status).toBe(401);
    expect(after.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    // The other token is another login.
    const other = bearer(kind === "token" ? user.jwt : user.token);
    expect((await fetch(`${server.url}/api/me`, { headers: other })).status).toBe(200);
  });

  it("asks who there is where nobody is known", async () => {
    for (const [path, method] of [
      ["/api/me", "GET"],
      ["/api/logout", "POST"],
    ] as const) {
      const response = await fetch(`${server.url}${path}`, { method });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
    }
  });
});

describe("the rest", () => {
  it("is healthy and ready", async () => {
    for (const path of ["/healthz", "/readyz"]) expect((await fetch(`${server.url}${path}`)).status).toBe(200);
  });

  it("has no public keys where a secret signs", async () => {
    const response = await fetch(`${server.url}/.well-known/jwks.json`);
    expect([response.status, await response.json()]).toEqual([200, { keys: [] }]);
  });

  it("lets the origins in that the operator named, and no others", async () => {
    const preflight = (origin: string) =>
      fetch(`${server.url}/api/login`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
    expect((await preflight("https://app.example.com")).headers.get("access-control-allow-origin")).toBe(
      "https://app.example.com",
    );
    expect((await preflight("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("tells a page of such an origin that its token is no good", async () => {
    const headers = { origin: "https://app.example.com", ...bearer("bad") };
    const response = await fetch(`${server.url}/api/me`, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("lets the WebSockets of such an origin in, and those of its own page still", async () => {
    for (const origin of ["https://app.example.com", "http://localhost:8000", "http://127.0.0.1"]) {
      const socket = await openSocket(`${server.url}/ws/login/`, { origin });
      await socket.close();
    }
    expect(await refusedWith(`${server.url}/ws/login/`, { origin: "https://example.com" })).toBe(403);
  });

  it("serves the page under a policy, to HEAD too", async () => {
    const page = await fetch(server.url);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    const head = await fetch(server.url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("answers 404 in JSON for what there is not", async () => {
    const response = await fetch(`${server.url}/nowhere`);
    expect([response.status, await response.json()]).toEqual([404, { detail: "Not found." }]);
  });
});
