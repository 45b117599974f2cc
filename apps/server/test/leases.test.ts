import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { describeOwnRedis, OwnRedis } from "../../../test/redis.js";
import { goodPassword, member, post, ticketFor } from "./client.js";
import { type ServerProcess, sluice, startServer } from "./server-process.js";
import { openSocket, refusedWith, type Socket } from "./socket.js";

const secret = { SECRET_KEY: "a secret that all processes know, 32 bytes" };

/** Connections of one user, by both kinds of token, on each of three servers. */
function threeServers(layer: () => Promise<Readonly<Record<string, string>>>): void {
  let env: Record<string, string>;
  let servers: ServerProcess[];
  beforeAll(async () => {
    env = { ...secret, DATABASE_URL: await freshDatabase(), ...(await layer()) };
    // The first one migrates.
    servers = [await startServer({ env })];
    servers.push(...(await Promise.all([startServer({ env }), startServer({ env })])));
  });
  afterAll(async () => {
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0, 0]);
  });

  const url = (index: number): string => servers[index]?.url ?? "";
  const everywhere = (token: string, room = "room"): Promise<Socket[]> =>
    Promise.all(servers.map((server) => openSocket(`${server.url}/ws/chat/${room}/?token=${token}`)));
  const closes = (sockets: readonly Socket[]) => Promise.all(sockets.map((socket) => socket.closed()));
  const logOut = (index: number, token: string) =>
    post(`${url(index)}/api/logout`, "", { authorization: `Bearer ${token}` });

  it.each(["token", "jwt"] as const)("a logout closes what was opened with that %s, and nothing else", async (kind) => {
    const ada = await member(url(0), `ada-${kind}`);
    const other = kind === "token" ? ada.jwt : ada.token;
    const [ended, kept] = [await everywhere(ada[kind], kind), await everywhere(other, kind)];
    expect((await logOut(1, ada[kind])).status).toBe(204);
    expect(await closes(ended)).toEqual(ended.map(() => ({ code: 4401, reason: "logged_out" })));
    kept[0]?.send({ type: "message", data: { message: "still here" } });
    for (const socket of kept) expect(await socket.next()).toMatchObject({ data: { message: "still here" } });
    await Promise.all(kept.map((socket) => socket.close()));
    // In a browser a close code says what a status cannot; a new handshake has a status.
    expect(await refusedWith(`${url(2)}/?token=${ada[kind]}`)).toBe(401);
  });

  it("a refresh token that comes back closes what its login has opened, and nothing else", async () => {
    const [mallory, other] = [await member(url(0), "mallory"), await member(url(0), "olivia")];
    const [ended, kept] = [await everywhere(mallory.jwt, "reuse"), await everywhere(other.jwt, "reuse")];
    const refresh = (index: number) => post(`${url(index)}/api/jwt/refresh`, { refresh: mallory.refresh });
    expect((await refresh(1)).status).toBe(200);
    expect((await refresh(2)).status).toBe(401);
    expect(await closes(ended)).toEqual(ended.map(() => ({ code: 4401, reason: "revoked" })));
    expect(await refusedWith(`${url(0)}/?token=${mallory.jwt}`)).toBe(401);
    await Promise.all([...kept, ...(await everywhere(mallory.token))].map((socket) => socket.close()));
  });

  it("a ticket is good on one server, and what it opened closes with its token on any", async () => {
    const { token } = await member(url(0), "tess");
    const ticket = await ticketFor(url(0), token);
    const attempts = await Promise.allSettled(servers.map((server) => openSocket(`${server.url}/?ticket=${ticket}`)));
    const opened = attempts.filter((attempt) => attempt.status === "fulfilled").map(({ value }) => value);
    expect(opened).toHaveLength(1);
    const unused = await ticketFor(url(0), token);
    expect((await logOut(1, token)).status).toBe(204);
    expect(await closes(opened)).toEqual([{ code: 4401, reason: "logged_out" }]);
    expect(await refusedWith(`${url(2)}/?ticket=${unused}`)).toBe(401);
  });

  it("the command line closes a user's connections, and those of nobody else", async () => {
    const [bob, eve] = [await member(url(0), "bob"), await member(url(0), "eve")];
    const [bobs, eves] = [await everywhere(bob.token), await everywhere(eve.jwt)];
    expect(await sluice(["token", "revoke", "bob"], env)).toMatchObject({ code: 0, stderr: "" });
    expect(await closes(bobs)).toEqual(bobs.map(() => ({ code: 4401, reason: "revoked" })));

    const again = await openSocket(`${url(1)}/ws/chat/room/?token=${eve.token}`);
    const changed = await sluice(["changepassword", "eve", "--no-input"], {
      ...env,
      NEW_PASSWORD: `new ${goodPassword}`,
    });
    expect(changed).toMatchObject({ code: 0, stderr: "" });
    const all = [...eves, again];
    expect(await closes(all)).toEqual(all.map(() => ({ code: 4401, reason: "password_changed" })));
    for (const token of [eve.token, eve.jwt]) expect(await refusedWith(`${url(0)}/?token=${token}`)).toBe(401);
  });

  it("the command line closes the connections of a user whom it disables, until it enables them", async () => {
    const trudy = await member(url(0), "trudy");
    const sockets = [...(await everywhere(trudy.token)), ...(await everywhere(trudy.jwt))];
    expect(await sluice(["disable", "trudy"], env)).toMatchObject({ code: 0, stderr: "" });
    expect(await closes(sockets)).toEqual(sockets.map(() => ({ code: 4401, reason: "disabled" })));
    const login = () => post(`${url(1)}/api/jwt`, { username: "trudy", password: goodPassword });
    expect((await login()).status).toBe(400);
    expect(await sluice(["enable", "trudy"], env)).toMatchObject({ code: 0, stdout: "Enabled user trudy\n" });
    const { access } = (await (await login()).json()) as { access: string };
    await Promise.all((await everywhere(access)).map((socket) => socket.close()));
    expect(await refusedWith(`${url(0)}/?token=${trudy.jwt}`)).toBe(401);
  });
}

describePostgres(() => {
  describeOwnRedis("three servers on Redis", () => {
    let redis: OwnRedis;
    afterAll(() => redis[Symbol.asyncDispose]());
    threeServers(async () => {
      redis = await OwnRedis.start();
      return { REDIS_URL: redis.url };
    });
  });

  describe("three servers on PostgreSQL", () => threeServers(async () => ({ CHANNEL_LAYER: "postgres" })));
});
