import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, InMemoryChannelLayer, type SecurityEvent, type UserRecord } from "@sluice/core";
import { Argon2Hasher } from "@sluice/passwords-argon2";
import { HttpCommunicator, RecordingLogger, WebsocketCommunicator } from "@sluice/testing";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createApplication } from "../application.js";
import { openServices, type Services } from "../services.js";
import { readSettings } from "../settings.js";

const password = "orange stapler museum";
/** Milliseconds: a password's hash takes its time on a busy machine. */
const timeout = 10_000;
const client = "192.0.2.1";
const logger = new RecordingLogger();
let directory: string;
let services: Services;
let application: App;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-"));
  services = await openServices(readSettings({ DATA_DIR: directory }), logger, new InMemoryChannelLayer());
  await services.database.migrate();
  application = createApplication(services);
});
afterAll(async () => {
  await services.close();
  await rm(directory, { recursive: true, force: true });
});

interface Login {
  readonly access: string;
  readonly refresh: string;
}

async function register(username: string): Promise<UserRecord> {
  await services.accounts.register({ username, password });
  return (await services.accounts.find(username)) ?? expect.fail("expected the user");
}

async function ask(path: string, content: object, token?: string): Promise<{ status: number; content: unknown }> {
  const response = await new HttpCommunicator(application, "POST", path, {
    headers: [
      ["host", "localhost"],
      ["content-type", "application/json"],
      ...(token === undefined ? [] : [["authorization", `Bearer ${token}`] as const]),
    ],
    body: JSON.stringify(content),
    clientAddress: client,
    timeout,
  }).getResponse();
  return { status: response.status, content: response.status === 204 ? undefined : response.json() };
}

async function logIn(username: string, secret = password): Promise<Login> {
  return (await ask("/api/jwt", { username, password: secret })).content as Login;
}

/** The security events that the log warns of. */
const warnings = (): unknown[] =>
  logger.lines.flatMap(({ level, fields }) => (level === "warn" && "event" in fields ? [fields.event] : []));

const renew = (refresh: string) => ask("/api/jwt/refresh", { refresh });
const refused = { status: 401, content: { detail: "Invalid token." } };

function socketOf({ access }: Login): WebsocketCommunicator {
  return new WebsocketCommunicator(application, `/?token=${access}`, { headers: [["host", "localhost"]], timeout });
}

async function open(login: Login): Promise<WebsocketCommunicator> {
  const socket = socketOf(login);
  expect(await socket.connect()).toMatchObject({ connected: true });
  return socket;
}

/** Whether an access token opens a connection. */
async function opens(login: Login): Promise<boolean> {
  await using socket = socketOf(login);
  const { connected } = await socket.connect();
  return connected;
}

describe("a login by JWT", () => {
  it("ends with its connections when a used refresh token comes back, and no other does", async () => {
    const { id } = await register("ada");
    const [stolen, other] = [await logIn("ada"), await logIn("ada")];
    const socket = await open(stolen);
    await using otherSocket = await open(other);
    const next = (await renew(stolen.refresh)).content as Login;
    const later = await open(next);

    expect(await renew(stolen.refresh)).toEqual(refused);
    for (const each of [socket, later])
      expect(await each.receiveClose()).toMatchObject({ code: 4401, reason: "revoked" });
    for (const each of [stolen, next]) {
      expect(await opens(each)).toBe(false);
      expect(await renew(each.refresh)).toEqual(refused);
    }
    otherSocket.sendJsonTo({ command: "Say hello !" });
    expect(await otherSocket.receiveJsonFrom()).toMatchObject({ data_string_back: null });
    expect(await renew(other.refresh)).toMatchObject({ status: 200 });

    const sessionId = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(warnings().slice(0, 1)).toEqual([
      { type: "reuse", userId: id, sessionId, carrier: "refresh token", client },
    ]);
    for (const secret of [stolen, next].flatMap(({ access, refresh }) => [access, refresh, refresh.slice(43)])) {
      expect(JSON.stringify(logger.lines)).not.toContain(secret);
    }
  });

  it("is in the log from its beginning to its end, and by its user's id", async () => {
    const { id } = await register("joan");
    logger.lines.length = 0;
    const login = await logIn("joan");
    const next = (await renew(login.refresh)).content as Login;
    const socket = await open(next);
    await ask("/api/logout", {}, next.access);
    await socket.receiveClose();
    expect(await ask("/api/jwt", { username: "joan", password: "a guess" })).toMatchObject({ status: 400 });
    expect(await ask("/api/login", { username: password, password: "a guess" })).toMatchObject({ status: 400 });
    expect(await opens(next)).toBe(false);

    const events = logger.lines.flatMap(({ level, fields }) =>
      "event" in fields ? [{ level, ...(fields.event as object) }] : [],
    );
    const sessionId = expect.stringMatching(/^[0-9a-f]{64}$/);
    const tokenId = expect.stringMatching(/^[\w-]{36}$/);
    const bySocket = { carrier: "query", protocol: "websocket", client: "127.0.0.1" };
    expect(events).toEqual([
      { level: "info", type: "login", userId: id, carrier: "password", client },
      { level: "info", type: "renewal", userId: id, sessionId, carrier: "refresh token", client },
      { level: "info", type: "login", userId: id, sessionId, tokenId, ...bySocket },
      { level: "debug", type: "login", userId: id, sessionId, tokenId, carrier: "header", protocol: "http", client },
      {
        level: "info",
        type: "revocation",
        of: "session",
        sessionId,
        reason: "logged_out",
        closed: 1,
        elsewhere: false,
      },
      { level: "warn", type: "failure", reason: "invalid_credentials", userId: id, carrier: "password", client },
      { level: "warn", type: "failure", reason: "invalid_credentials", carrier: "password", client },
      { level: "warn", type: "failure", reason: "invalid_token", ...bySocket },
    ]);
    for (const secret of [password, "a guess", ...[login, next].flatMap(({ access, refresh }) => [access, refresh])]) {
      expect(JSON.stringify(logger.lines)).not.toContain(secret);
    }
  });

  it("ends as a whole with a logout by any of its access tokens", async () => {
    await register("grace");
    const first = await logIn("grace");
    const second = (await renew(first.refresh)).content as Login;
    const socket = await open(first);
    expect((await ask("/api/logout", {}, second.access)).status).toBe(204);
    expect(await socket.receiveClose()).toMatchObject({ code: 4401, reason: "logged_out" });
    for (const each of [first, second]) expect(await opens(each)).toBe(false);
    expect(await renew(second.refresh)).toEqual(refused);
  });

  it("ends with a changed password, while one that is begun at once goes on", async () => {
    const user = await register("eve");
    const before = await logIn("eve");
    expect(await opens(before)).toBe(true);
    await services.accounts.changePassword(user, `new ${password}`);
    expect(await services.logins.endAllOf(user.id, "password_changed")).toBe(1);
    const after = await logIn("eve", `new ${password}`);
    expect([await opens(before), await opens(after)]).toEqual([false, true]);
    expect(await renew(before.refresh)).toEqual(refused);
    expect(await renew(after.refresh)).toMatchObject({ status: 200 });
  });

  it("does not begin by a password that is changed while it does, by either kind of token", async () => {
    const { id, passwordHash } = await register("trent");
    const { users, tokens, refreshTokens } = services.database;
    const prove = services.accounts.prove.bind(services.accounts);
    for (const path of ["/api/login", "/api/jwt"]) {
      vi.spyOn(services.accounts, "prove").mockImplementationOnce(async (...credentials) => {
        const proof = await prove(...credentials);
        // The change ends all logins that there are, and this one is not among them yet.
        await users.setPasswordHash(id, await new Argon2Hasher().hash(`new ${password}`));
        await services.logins.endAllOf(id, "password_changed");
        return proof;
      });
      logger.lines.length = 0;
      expect(await ask(path, { username: "trent", password })).toMatchObject({ status: 400 });
      const events = logger.lines.flatMap(({ fields }) => ("event" in fields ? [fields.event as SecurityEvent] : []));
      expect(events.filter(({ userId, type }) => userId === id && type !== "revocation")).toEqual([
        { type: "failure", reason: "invalid_credentials", userId: id, carrier: "password", client },
      ]);
      expect([await tokens.listOf(id, 10), await refreshTokens.listOf(id, 10)]).toEqual([[], []]);
      await users.setPasswordHash(id, passwordHash);
      expect(await ask(path, { username: "trent", password })).toMatchObject({ status: 200 });
      await services.logins.endAllOf(id, "revoked");
    }
  });

  it("is good for nothing while its user is not active", async () => {
    const user = await register("mallory");
    const login = await logIn("mallory");
    await services.database.users.setActive(user.id, false);
    expect(await opens(login)).toBe(false);
    expect(await renew(login.refresh)).toEqual(refused);
    expect(await ask("/api/jwt", { username: "mallory", password })).toMatchObject({ status: 400 });
  });
});
