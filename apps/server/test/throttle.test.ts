import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { goodPassword, member, post } from "./client.js";
import { quickDatabase } from "./quick-database.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, refusedWith } from "./socket.js";

/** No test is about how long a delay is: these last for as long as the test does, or do not come. */
const rules = {
  MAX_LOGIN_FAILURES_PER_ADDRESS: "3",
  LOGIN_FAILURES_BEFORE_DELAY: "1000",
  TRUSTED_PROXIES: "127.0.0.1",
};

/** Every test has an address of its own. */
let addresses = 0;
function newAddress(): Record<string, string> {
  addresses += 1;
  return { "x-forwarded-for": `192.0.2.${addresses}` };
}

const throttled = /^Request was throttled\. Expected available in \d+ seconds\.$/;

function logIn(url: string, username: string, password: string, headers: Record<string, string>): Promise<Response> {
  return post(`${url}/api/login`, { username, password }, headers);
}

async function useUp(url: string, headers: Record<string, string>): Promise<void> {
  for (const name of ["ada", "nobody", "no body"]) {
    expect((await logIn(url, name, "wrong", headers)).status).toBe(400);
  }
}

describe("one server", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const env = {
      ...(await quickDatabase()),
      ...rules,
      ALLOW_URL_CREDENTIALS: "true",
      MAX_WRONG_TOKENS_PER_ADDRESS: "2",
    };
    server = await startServer({ env: { ...env, ALLOWED_ORIGINS: "https://app.example.com" } });
    await member(server.url, "ada");
  });
  afterAll(async () => {
    expect(server.log().filter(({ level, msg }) => Number(level) >= 50 || /count/.test(String(msg)))).toEqual([]);
    expect(server.output()).not.toContain(goodPassword);
    expect(await server.stop()).toBe(0);
  });

  it("answers 429, in the same words to a right password, a wrong one, and a name that nobody has", async () => {
    const headers = newAddress();
    await useUp(server.url, headers);
    for (const [path, username, password] of [
      ["login", "ada", goodPassword],
      ["login", "ada", "wrong"],
      ["jwt", "ada", goodPassword],
      ["login", "nobody", "wrong"],
      ["register", "grace", goodPassword],
    ] as const) {
      const response = await post(`${server.url}/api/${path}`, { username, password }, headers);
      expect(response.status).toBe(429);
      expect(response.headers.get("cache-control")).toBe("no-store");
      const wait = Number(response.headers.get("retry-after"));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(900);
      expect(await response.json()).toEqual({
        detail: `Request was throttled. Expected available in ${wait} second${wait === 1 ? "" : "s"}.`,
      });
    }
    expect((await logIn(server.url, "ada", goodPassword, newAddress())).status).toBe(200);
  });

  it("tells a page of an allowed origin when to try again", async () => {
    const headers = { ...newAddress(), origin: "https://app.example.com" };
    await useUp(server.url, headers);
    const response = await logIn(server.url, "ada", goodPassword, headers);
    expect(response.status).toBe(429);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(response.headers.get("access-control-expose-headers")?.toLowerCase()).toBe("retry-after");
  });

  it("says so on /ws/auth/, which stays open", async () => {
    const headers = newAddress();
    const socket = await openSocket(`${server.url}/ws/auth/`, { headers });
    const login = { type: "login", data: { user_name: "ada", password: "wrong" } };
    const taken = { type: "register", data: { user_name: "ADA", password: goodPassword } };
    for (const [message, code] of [
      [login, "invalid_credentials"],
      [taken, "invalid"],
      [login, "invalid_credentials"],
    ] as const) {
      socket.send(message);
      expect(await socket.next()).toMatchObject({ type: "error", code });
    }
    for (const message of [login, taken]) {
      socket.send(message);
      expect(await socket.next()).toEqual({
        type: "error",
        code: "throttled",
        message: expect.stringMatching(throttled),
        retry_after: expect.any(Number),
      });
    }
    await socket.close();
  });

  it("says so on /ws/login/, and closes with 4429", async () => {
    const headers = newAddress();
    await useUp(server.url, headers);
    const socket = await openSocket(`${server.url}/ws/login/`, { headers });
    socket.send({ username: "ada", password: goodPassword });
    expect(await socket.next()).toEqual({
      status: "error",
      message: expect.stringMatching(throttled),
      retry_after: expect.any(Number),
    });
    expect(await socket.closed()).toEqual({ code: 4429, reason: "throttled" });
  });

  it("refuses credentials in the URL with 429", async () => {
    const headers = newAddress();
    for (const status of [401, 401, 401, 429]) {
      expect(await refusedWith(`${server.url}/ws/auth/ada/wrong/`, { headers })).toBe(status);
    }
  });

  it("refuses tokens with 429 after wrong ones, and takes a good one from elsewhere", async () => {
    const headers = newAddress();
    const { token } = (await (await logIn(server.url, "ada", goodPassword, headers)).json()) as { token: string };
    expect(await refusedWith(`${server.url}/?token=a-guess`, { headers })).toBe(401);
    const me = { ...headers, authorization: "Bearer another-guess" };
    expect((await fetch(`${server.url}/api/me`, { headers: me })).status).toBe(401);
    expect(await refusedWith(`${server.url}/?token=${token}`, { headers })).toBe(429);
    expect((await fetch(`${server.url}/api/me`, { headers: me })).status).toBe(429);
    await (await openSocket(`${server.url}/?token=${token}`, { headers: newAddress() })).close();
    expect((await logIn(server.url, "ada", goodPassword, headers)).status).toBe(200);
  });

  it("tells a page of an allowed origin when to try another token", async () => {
    const headers = { ...newAddress(), origin: "https://app.example.com", authorization: "Bearer a-guess" };
    const ask = () => fetch(`${server.url}/api/me`, { headers });
    expect([(await ask()).status, (await ask()).status]).toEqual([401, 401]);
    const response = await ask();
    expect([response.status, await response.json()]).toEqual([429, { detail: expect.stringMatching(throttled) }]);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(response.headers.get("access-control-expose-headers")?.toLowerCase()).toBe("retry-after");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("counts wrong refresh tokens", async () => {
    const headers = newAddress();
    const refresh = async () => (await post(`${server.url}/api/jwt/refresh`, { refresh: "a guess" }, headers)).status;
    expect([await refresh(), await refresh(), await refresh()]).toEqual([401, 401, 429]);
    expect(await refusedWith(`${server.url}/?token=a-guess`, { headers })).toBe(429);
  });

  it("has a line in the log for who has to wait, with the address and the limit", async () => {
    const headers = newAddress();
    await useUp(server.url, headers);
    await logIn(server.url, "ada", goodPassword, headers);
    for (let time = 0; time < 3; time++) await refusedWith(`${server.url}/?token=a-guess`, { headers });
    const client = headers["x-forwarded-for"];
    const of = (limit: string) => (line: Record<string, unknown>) => {
      const event = line.event as Record<string, unknown> | undefined;
      return event?.type === "limit" && event.limit === limit && event.client === client;
    };
    expect(await server.logged(of("login"))).toMatchObject({ level: 40, msg: "security event" });
    expect(await server.logged(of("tokens"))).toMatchObject({ event: { protocol: "websocket" } });
  });

  it("takes a password however its characters are composed", async () => {
    const composed = "K\u00f6nigsberger Kl\u00f6\u00dfe";
    const registered = await post(`${server.url}/api/register`, { username: "immanuel", password: composed });
    expect(registered.status).toBe(201);
    const login = (password: string) => logIn(server.url, "immanuel", password, newAddress());
    expect((await login(composed.normalize("NFD"))).status).toBe(200);
    expect((await login(composed)).status).toBe(200);
    expect((await login("Konigsberger Klo\u00dfe")).status).toBe(400);
    expect((await login(`${composed} `)).status).toBe(400);
    expect((await login("x".repeat(60_000))).status).toBe(400);
  });
});

describePostgres(() => {
  it("two servers count together", async () => {
    const env = { DATABASE_URL: await freshDatabase(), SECRET_KEY: "a secret that both processes know", ...rules };
    const servers = await Promise.all([startServer({ env }), startServer({ env })]);
    const [one, two] = servers.map(({ url }) => url) as [string, string];
    await member(one, "ada");
    const headers = newAddress();
    await useUp(one, headers);
    expect((await logIn(two, "ada", goodPassword, headers)).status).toBe(429);
    expect((await logIn(two, "ada", goodPassword, newAddress())).status).toBe(200);
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0]);
  });
});
