import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { goodPassword, member, post } from "./client.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, refusedWith } from "./socket.js";

interface Login {
  readonly id: string;
  readonly current: boolean;
  readonly connections: number;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const idOf = (token: string) => createHash("sha256").update(token).digest("hex");
const newPassword = `new ${goodPassword}`;

async function list(url: string, token: string): Promise<Login[]> {
  const response = await fetch(`${url}/api/sessions`, { headers: bearer(token) });
  expect(response.status).toBe(200);
  return (await response.json()) as Login[];
}

async function end(url: string, token: string, id: string): Promise<number> {
  return (await fetch(`${url}/api/sessions/${id}`, { method: "DELETE", headers: bearer(token) })).status;
}

const me = async (url: string, token: string) => (await fetch(`${url}/api/me`, { headers: bearer(token) })).status;

function change(url: string, token: string, oldPassword: string, password = newPassword): Promise<Response> {
  return post(`${url}/api/password`, { old_password: oldPassword, new_password: password }, bearer(token));
}

describe("one server", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it("lists a user's logins of both kinds, and those of nobody else", async () => {
    const ada = await member(server.url, "ada");
    await member(server.url, "other");
    const credentials = { username: "ada", password: goodPassword };
    const userAgent = `${"<b>".repeat(200)}`;
    const response = await post(`${server.url}/api/login`, credentials, { "user-agent": userAgent });
    const { token } = (await response.json()) as { token: string };
    const logins = await list(server.url, token);
    const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const common = { created_at: moment, connections: 0 };
    expect(logins).toHaveLength(3);
    expect(logins).toEqual(
      expect.arrayContaining([
        {
          ...common,
          id: idOf(token),
          user_agent: userAgent.slice(0, 256),
          last_used_at: expect.anything(),
          current: true,
        },
        { ...common, id: idOf(ada.token), user_agent: expect.any(String), last_used_at: null, current: false },
        { ...common, id: expect.any(String), user_agent: expect.any(String), last_used_at: moment, current: false },
      ]),
    );
    expect((await list(server.url, ada.jwt)).filter(({ current }) => current)).toHaveLength(1);
  });

  it("ends one of a user's own, with its connections, and no other", async () => {
    const [bob, eve] = [await member(server.url, "bob"), await member(server.url, "eve")];
    const session = (await list(server.url, bob.jwt)).find(({ current }) => current)?.id ?? "";
    for (const id of [idOf(bob.token), session, "x", "%00", "a".repeat(64)]) {
      expect(await end(server.url, eve.token, id)).toBe(404);
    }
    const sockets = [
      await openSocket(`${server.url}/?token=${bob.jwt}`),
      await openSocket(`${server.url}/?token=${bob.token}`),
    ] as const;
    expect(await end(server.url, bob.token, session)).toBe(204);
    expect(await end(server.url, bob.token, session)).toBe(404);
    expect(await sockets[0].closed()).toEqual({ code: 4401, reason: "revoked" });
    expect([await me(server.url, bob.jwt), await me(server.url, bob.token)]).toEqual([401, 200]);
    expect((await post(`${server.url}/api/jwt/refresh`, { refresh: bob.refresh })).status).toBe(401);
    expect((await list(server.url, bob.token)).map(({ connections }) => connections)).toEqual([1]);
    await sockets[1].close();
  });

  it.each(["token", "jwt"] as const)("ends all but the one that asks, by a %s", async (kind) => {
    const user = await member(server.url, `others-${kind}`);
    const other = kind === "token" ? user.jwt : user.token;
    const response = await fetch(`${server.url}/api/sessions`, { method: "DELETE", headers: bearer(user[kind]) });
    expect(response.status).toBe(204);
    expect([await me(server.url, user[kind]), await me(server.url, other)]).toEqual([200, 401]);
    expect(await list(server.url, user[kind])).toHaveLength(1);
  });

  it("changes the password of who knows the old one only, under the rules for a new one", async () => {
    const { token } = await member(server.url, "carol");
    const old = ["Your old password was entered incorrectly. Please enter it again."];
    const faults = async (response: Response) => [response.status, await response.json()];
    expect(await faults(await change(server.url, token, "wrong"))).toEqual([400, { old_password: old }]);
    expect(await faults(await change(server.url, token, goodPassword, "carol1234"))).toEqual([
      400,
      { new_password: ["The password is too similar to the username."] },
    ]);
    expect(await faults(await post(`${server.url}/api/password`, {}, bearer(token)))).toEqual([
      400,
      { old_password: ["This field is required."], new_password: ["This field is required."] },
    ]);
    const login = (password: string) => post(`${server.url}/api/login`, { username: "carol", password });
    expect((await login(goodPassword)).status).toBe(200);
    expect((await change(server.url, token, goodPassword)).status).toBe(204);
    expect([(await login(goodPassword)).status, (await login(newPassword)).status]).toEqual([400, 200]);
  });

  it("makes who guesses the old password wait as at a login, whoever has the token", async () => {
    const { token } = await member(server.url, "guessed");
    let response = await change(server.url, token, "wrong");
    for (let guess = 0; guess < 20 && response.status === 400; guess++) {
      response = await change(server.url, token, "wrong");
    }
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual({ detail: expect.stringMatching(/^Request was throttled\./) });
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await change(server.url, token, goodPassword)).status).toBe(429);
  });

  it.each([
    ["GET", "/api/sessions"],
    ["DELETE", "/api/sessions"],
    ["DELETE", "/api/sessions/x"],
    ["POST", "/api/password"],
  ])("%s %s is for who is logged in", async (method, path) => {
    expect((await fetch(server.url + path, { method })).status).toBe(401);
    expect((await fetch(server.url + path, { method: "PUT" })).status).toBe(405);
  });
});

describePostgres(() => {
  describe("two servers", () => {
    let servers: ServerProcess[];
    beforeAll(async () => {
      const env = {
        DATABASE_URL: await freshDatabase(),
        CHANNEL_LAYER: "postgres",
        SECRET_KEY: "a secret of the test's, 32 bytes long",
      };
      servers = [await startServer({ env }), await startServer({ env })];
    });
    afterAll(() => Promise.all(servers.map((server) => server.stop())));
    const url = (index: number): string => servers[index]?.url ?? "";
    const everywhere = (token: string) =>
      Promise.all(servers.map((server) => openSocket(`${server.url}/?token=${token}`)));

    it("count a login's connections together, and close them all when it is ended on one", async () => {
      const ada = await member(url(0), "ada");
      const [ended, kept] = [await everywhere(ada.jwt), await everywhere(ada.token)];
      await expect
        .poll(async () => (await list(url(1), ada.token)).map(({ connections }) => connections), { timeout: 20_000 })
        .toEqual([2, 2]);
      const other = (await list(url(1), ada.token)).find(({ current }) => !current)?.id ?? "";
      expect(await end(url(1), ada.token, other)).toBe(204);
      for (const socket of ended) expect(await socket.closed()).toEqual({ code: 4401, reason: "revoked" });
      expect(await refusedWith(`${url(0)}/?token=${ada.jwt}`)).toBe(401);
      for (const socket of kept) {
        socket.send({ command: "Say hello !" });
        expect(await socket.next()).toMatchObject({ data_string_back: null });
        await socket.close();
      }
    });

    it.each(["token", "jwt"] as const)("a new password ends all but the login that asks, by a %s", async (kind) => {
      const user = await member(url(0), `changes-${kind}`);
      const other = kind === "token" ? user.jwt : user.token;
      const [ended, kept] = [await everywhere(other), await everywhere(user[kind])];
      expect((await change(url(1), user[kind], goodPassword)).status).toBe(204);
      for (const socket of ended) expect(await socket.closed()).toEqual({ code: 4401, reason: "password_changed" });
      for (const server of servers) {
        expect([await me(server.url, user[kind]), await me(server.url, other)]).toEqual([200, 401]);
      }
      for (const socket of kept) {
        socket.send({ command: "Say hello !" });
        expect(await socket.next()).toMatchObject({ data_string_back: null });
        await socket.close();
      }
      const renewed = await post(`${url(0)}/api/jwt/refresh`, { refresh: user.refresh });
      expect(renewed.status).toBe(kind === "jwt" ? 200 : 401);
    });
  });
});
