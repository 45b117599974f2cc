import { Redis } from "ioredis";
import postgres from "postgres";
import { afterEach, describe, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { describeOwnRedis, OwnRedis } from "../../../test/redis.js";
import { member } from "./client.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, type Socket } from "./socket.js";

/** A layer that several servers share, and what they leave in it. */
interface Shared extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  /** The groups that somebody listens to, and what waits. */
  left(): Promise<readonly string[]>;
}

const secret = { SECRET_KEY: "a secret that all processes know, 32 bytes" };

async function onRedis(): Promise<Shared> {
  const redis = await OwnRedis.start();
  const look = new Redis(redis.url);
  return {
    env: { ...secret, DATABASE_URL: await freshDatabase(), REDIS_URL: redis.url },
    async left() {
      const channels = (await look.pubsub("CHANNELS")) as string[];
      return [...channels.filter((name) => name.includes("group:")), ...(await look.keys("*"))];
    },
    async [Symbol.asyncDispose]() {
      look.disconnect();
      await redis[Symbol.asyncDispose]();
    },
  };
}

async function onPostgres(): Promise<Shared> {
  const DATABASE_URL = await freshDatabase();
  const look = postgres(DATABASE_URL, { max: 1, onnotice: () => {} });
  return {
    env: { ...secret, DATABASE_URL, CHANNEL_LAYER: "postgres" },
    async left() {
      const rows = await look`
        select 'queue' as kind from sluice_layer_queue
        union all select 'lock' from pg_locks join pg_database on pg_database.oid = database
          where locktype = 'advisory' and datname = current_database()`;
      return rows.map(({ kind }) => String(kind));
    },
    async [Symbol.asyncDispose]() {
      await look.end();
    },
  };
}

const servers: ServerProcess[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.kill()));
});

async function start(count: number, env: Readonly<Record<string, string>>): Promise<ServerProcess[]> {
  // The first one migrates.
  for (let index = 0; index < count; index++) servers.push(await startServer({ env }));
  return [...servers];
}

/** A user of their own on each server, in one room, who has asked who is here. */
async function guests(on: readonly ServerProcess[], room: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (const [index, { url }] of on.entries()) {
    const { token } = await member(url, `guest${index}`);
    sockets.push(await openSocket(`${url}/ws/chat/${room}/?token=${token}`));
  }
  return sockets;
}

const say = (socket: Socket | undefined, message: string): void => socket?.send({ type: "message", data: { message } });

/** The next frame of that type; others go by. */
async function next(socket: Socket | undefined, type: string): Promise<{ data: Record<string, unknown> }> {
  for (;;) {
    const frame = (await socket?.next()) as { type: string; data: Record<string, unknown> };
    if (frame.type === type) return frame;
  }
}

const heard = async (socket: Socket | undefined): Promise<unknown> => (await next(socket, "newMessage")).data.message;

function threeServers(open: () => Promise<Shared>): void {
  it("are one: rooms, who is in them, and what a crash of one of them leaves", async () => {
    await using shared = await open();
    const three = await start(3, shared.env);
    const sockets = await guests(three, "room");
    for (const [index, socket] of sockets.entries()) {
      say(socket, `from ${index}`);
      for (const each of sockets) expect(await heard(each)).toBe(`from ${index}`);
    }

    const [here, , crashing] = sockets;
    here?.send({ type: "presence" });
    const names = (users: unknown) => (users as { userName: string }[]).map(({ userName }) => userName).sort();
    const present = names((await next(here, "presence")).data.users);
    // A user who came a moment ago may be on the way.
    while (present.length < 3) present.push(...names([(await next(here, "joined")).data.user]));
    expect(present.sort()).toEqual(["guest0", "guest1", "guest2"]);

    const { token } = await member(three[2]?.url ?? "", "hermit");
    await openSocket(`${three[2]?.url}/ws/chat/hermitage/?token=${token}`);
    const before = performance.now();
    await three[2]?.kill();
    expect(await crashing?.closed()).toMatchObject({ code: 1006 });
    say(here, "the others go on");
    for (const each of sockets.slice(0, 2)) expect(await heard(each)).toBe("the others go on");
    expect((await next(here, "left")).data.user).toMatchObject({ userName: "guest2" });
    expect(performance.now() - before).toBeLessThan(15_000);

    for (const each of sockets.slice(0, 2)) await each.close();
    expect(await Promise.all(three.slice(0, 2).map((server) => server.stop()))).toEqual([0, 0]);
    expect(await shared.left()).toEqual([]);
  });
}

describePostgres(() => {
  describeOwnRedis("three servers on Redis", () => threeServers(onRedis));
  describe("three servers on PostgreSQL", () => threeServers(onPostgres));

  describeOwnRedis("a Redis", () => {
    it("that is killed ends nobody; when it is back, what was said meanwhile is shown", async () => {
      await using redis = await OwnRedis.start();
      const env = { ...secret, DATABASE_URL: await freshDatabase(), CHANNEL_LAYER: redis.url };
      const two = await start(2, env);
      const sockets = await guests(two, "room");
      say(sockets[0], "before");
      for (const each of sockets) expect(await heard(each)).toBe("before");

      await redis.kill();
      await Promise.all(two.map((server) => server.logged(({ msg }) => String(msg).includes("cannot be reached"))));
      say(sockets[0], "meanwhile");
      say(sockets[1], "meanwhile, too");
      expect((await fetch(`${two[0]?.url}/readyz`)).status).toBe(200);
      const { token } = await member(two[0]?.url ?? "", "late");
      await expect(openSocket(`${two[0]?.url}/ws/chat/other/?token=${token}`)).rejects.toThrow("503");

      await redis.startAgain();
      for (const each of sockets) {
        expect([await heard(each), await heard(each)].sort()).toEqual(["meanwhile", "meanwhile, too"]);
      }
      say(sockets[1], "after");
      for (const each of sockets) expect(await heard(each)).toBe("after");
    });

    it("that is frozen keeps nobody waiting but who speaks; the rest of the server answers", async () => {
      await using redis = await OwnRedis.start();
      const env = { ...secret, DATABASE_URL: await freshDatabase(), CHANNEL_LAYER: redis.url };
      const [server] = await start(1, env);
      const [socket] = await guests([server as ServerProcess], "room");
      redis.freeze();
      say(socket, "into the ice");
      expect((await fetch(`${server?.url}/readyz`)).status).toBe(200);
      const { token } = await member(server?.url ?? "", "late");
      const hello = await openSocket(`${server?.url}/?token=${token}`);
      hello.send({ command: "Say hello !", data_string: "x" });
      expect(await hello.next()).toMatchObject({ data_string_back: "x" });
      await server?.logged(({ msg }) => String(msg).includes("cannot be reached"));
      redis.thaw();
      expect(await heard(socket)).toBe("into the ice");
    });

    it("that is not there ends the start, in one line", async () => {
      await using redis = await OwnRedis.start();
      await redis.kill();
      const env = { ...secret, CHANNEL_LAYER: redis.url.replace("//", "//user:hidden@") };
      const started = startServer({ env }).catch((error: Error) => error.message);
      const output = String(await started);
      expect(output).toMatch(/sluice: the channel layer on redis cannot be reached: .*ECONNREFUSED/);
      expect(output).not.toContain("hidden");
    });
  });
});
