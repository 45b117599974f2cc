import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { inspect } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import { ConfigurationError, StoreUnavailable } from "@sluice/core";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { type Database, type DatabaseLocation, openDatabase } from "./database.js";

const opened: Database[] = [];

async function open(location: DatabaseLocation): Promise<Database> {
  const database = await openDatabase(location);
  opened.push(database);
  return database;
}

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

/** What holds on either driver. */
function databaseTests(location: () => Promise<DatabaseLocation>): void {
  test("migrates an empty database once, however often it is asked", async () => {
    const database = await open(await location());
    await Promise.all([database.migrate(), database.migrate()]);
    await database.migrate();
    expect(await database.users.findByUsername("nobody")).toBeUndefined();
  });

  test("answers a ping before its tables are there", async () => {
    const database = await open(await location());
    await expect(database.ping()).resolves.toBeUndefined();
  });

  test("runs the statements of others", async () => {
    const { query, migrate } = await open(await location());
    await migrate();
    const insert = `insert into rate_limits values ($1, $2, $3) on conflict (key)
      do update set points = rate_limits.points + ($2) returning points`;
    expect(await query(insert, ["a", 1, 2 ** 42])).toMatchObject({ rows: [{ points: 1 }], rowCount: 1 });
    expect(await query(insert, ["a", 2, null])).toMatchObject({ rows: [{ points: 3 }], rowCount: 1 });
    const { rows, rowCount } = await query("select expire from rate_limits where key = $1", ["b"]);
    expect([[...rows], rowCount]).toEqual([[], 0]);
    expect(await query("delete from rate_limits where expire > $1", [1])).toMatchObject({ rowCount: 1 });
  });

  test("is unavailable once it is closed, and may be closed twice", async () => {
    const database = await open(await location());
    await database.migrate();
    await Promise.all([database.close(), database.close()]);
    await expect(database.ping()).rejects.toThrow(StoreUnavailable);
    await expect(database.users.findByUsername("alice")).rejects.toThrow(StoreUnavailable);
    await expect(database.close()).resolves.toBeUndefined();
  });

  test("shows nothing of what was to be stored in an error", async () => {
    const database = await open(await location());
    const user = { username: "user-name-7", name: "shown-name-7", passwordHash: "pass-word-7" };
    const refusals = [await refusal(database.users.create(user)), await refusal(database.tokens.find("di-gest-7"))];
    await database.migrate();
    const { id } = await database.users.create({ ...user, username: "somebody" });
    const token = { digest: "di-gest-7", userId: id, createdAt: 1, expiresAt: undefined, userAgent: undefined };
    await database.tokens.create(token);
    const ticket = {
      digest: "tic-ket-7",
      userId: crypto.randomUUID(),
      grant: { tokenId: "tok-en-7", expiresAt: 1 },
      origin: undefined,
      purpose: "test",
      expiresAt: 1,
    };
    refusals.push(
      await refusal(database.users.create({ ...user, username: "SOMEBODY" })),
      await refusal(database.tokens.create({ ...token, userId: crypto.randomUUID() })),
      await refusal(database.tickets.create(ticket)),
    );
    for (const error of refusals) {
      expect(error).toBeInstanceOf(Error);
      const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: false }) + JSON.stringify(error);
      expect(shown).not.toMatch(/(user-name|shown-name|pass-word|tok-en)-7/);
    }
  });

  test("forgets revoked tokens and families of refresh tokens a day after they expired, when more come", async () => {
    const { users, revocations, refreshTokens, migrate } = await open(await location());
    await migrate();
    const { id: userId, username } = await users.create({ username: "alice", name: "", passwordHash: "x" });
    const family = {
      userId,
      scopes: undefined,
      userAgent: undefined,
      lastUsedAt: 1,
      createdAt: 1,
      current: "x",
      previous: undefined,
    };
    const hour = 3_600_000;
    for (const [id, expiresAt] of [
      ["long expired", Date.now() - 25 * hour],
      ["just expired", Date.now() - 23 * hour],
      ["good", Date.now() + hour],
    ] as const) {
      await revocations.revoke(id, expiresAt);
      await refreshTokens.create({ ...family, id, expiresAt });
    }
    for (const [id, isKept] of [
      ["long expired", false],
      ["just expired", true],
      ["good", true],
    ] as const) {
      const user = { isAuthenticated: true, id: userId, username } as const;
      expect(await revocations.isRevoked({ user, tokenId: id, expiresAt: undefined }), id).toBe(isKept);
      expect((await refreshTokens.find(id)) !== undefined, id).toBe(isKept);
    }
  });

  test("forgets a ticket an hour after it expired, when others are made", async () => {
    const { tickets, users, migrate } = await open(await location());
    await migrate();
    const { id: userId } = await users.create({ username: "alice", name: "", passwordHash: "x" });
    const create = (digest: string, minutes: number) =>
      tickets.create({
        digest,
        userId,
        grant: { tokenId: "t", expiresAt: undefined },
        origin: undefined,
        purpose: "test",
        expiresAt: Date.now() + minutes * 60_000,
      });
    const leftovers = Array.from({ length: 25 }, (_, index) => `left over ${index}`);
    await create("just expired", -55);
    // At once, so that they sweep at once.
    await Promise.all(leftovers.map((digest) => create(digest, -65)));
    await Promise.all(["a", "b", "c"].map((digest) => create(digest, 1)));
    for (const digest of leftovers) expect(await tickets.consume(digest)).toBeUndefined();
    for (const digest of ["just expired", "a", "b", "c"]) expect(await tickets.consume(digest)).toBeDefined();
  });
}

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("PGlite", () => {
  // To make an empty cluster takes seconds: each test has a copy of one.
  beforeAll(async () => {
    const create = PGlite.create.bind(PGlite);
    const empty = await create();
    const loadDataDir = await empty.dumpDataDir("none");
    await empty.close();
    vi.spyOn(PGlite, "create").mockImplementation(() => create({ loadDataDir }));
  });
  afterAll(() => void vi.restoreAllMocks());

  databaseTests(async () => ({ memory: true }));
});

describePostgres(() => {
  databaseTests(async () => ({ url: await freshDatabase() }));

  test("lets several processes migrate an empty database at once", async () => {
    const url = await freshDatabase();
    const databases = await Promise.all(Array.from({ length: 4 }, () => open({ url })));
    await Promise.all(databases.map((database) => database.migrate()));

    const sql = postgres(url, { max: 1, onnotice: () => {} });
    const [row] =
      await sql`select count(*)::int as runs, count(distinct hash)::int as files from drizzle.__drizzle_migrations`;
    await sql.end();
    expect(row?.runs).toBe(row?.files);
    expect(row?.runs).toBeGreaterThan(0);
  });

  test("lets go of the migration's lock", async () => {
    const url = await freshDatabase();
    await (await open({ url })).migrate();
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    const locks = await sql`select pid from pg_locks where locktype = 'advisory' and database =
      (select oid from pg_database where datname = current_database())`;
    await sql.end();
    expect(locks).toHaveLength(0);
  });

  test("gets over the loss of its connections", async () => {
    const url = await freshDatabase();
    const database = await open({ url, poolSize: 2 });
    await database.migrate();
    await Promise.all([database.ping(), database.ping()]);

    const sql = postgres(url, { max: 1, onnotice: () => {} });
    const ended = await sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    await sql.end();
    expect(ended).toHaveLength(2);
    await vi.waitFor(() => database.ping(), 30_000);
    expect(await database.users.findByUsername("nobody")).toBeUndefined();
  });

  test("is unavailable where the server has no such database", async () => {
    const url = new URL(await freshDatabase());
    url.pathname = "/sluice_no_such_database";
    const database = await open({ url: url.href });
    await expect(database.ping()).rejects.toMatchObject({ code: "store_unavailable", cause: { code: "3D000" } });
    await expect(database.migrate()).rejects.toThrow(StoreUnavailable);
  });
});

describe("a server that is not there", () => {
  test("is unavailable, with the driver's error as the cause and no password", async () => {
    const port = await freePort();
    const database = await open({ url: `postgres://sluice:se-cret@127.0.0.1:${port}/sluice` });
    for (const call of [() => database.ping(), () => database.migrate(), () => database.users.findByUsername("a")]) {
      const error = await refusal(call());
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error).toMatchObject({ cause: { code: "ECONNREFUSED" } });
      expect(inspect(error, { depth: Number.POSITIVE_INFINITY })).not.toContain("se-cret");
    }
  });
});

describe("a server that never answers", () => {
  let server: Server;
  const sockets = new Set<Socket>();
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  async function silentServer(): Promise<string> {
    server = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    return `postgres://sluice@127.0.0.1:${portOf(server)}/sluice`;
  }

  test("is unavailable after five seconds", async () => {
    const database = await open({ url: await silentServer() });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const connected = once(server, "connection");
    const ping = refusal(database.ping());
    await vi.advanceTimersByTimeAsync(0);
    await connected;
    await vi.advanceTimersByTimeAsync(5000);
    expect(await ping).toBeInstanceOf(StoreUnavailable);
  });

  test("does not keep a database from closing within five seconds", async () => {
    const database = await openDatabase({ url: await silentServer() });
    const call = refusal(database.users.findByUsername("alice"));
    await once(server, "connection");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const closed = database.close();
    await vi.advanceTimersByTimeAsync(5000);
    await closed;
    expect(await call).toBeInstanceOf(StoreUnavailable);
  });
});

describe("what cannot be opened", () => {
  test.each([
    "",
    "localhost:5432/sluice",
    "mysql://sluice:se-cret@localhost/sluice",
    "postgres://sluice:se-cret@localhost:port/sluice",
    "postgres://sluice:se-cret%@localhost/sluice",
  ])("refuses the URL %j, and does not repeat it", async (url) => {
    const error = await refusal(openDatabase({ url }));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(inspect(error)).not.toContain("se-cret");
  });

  test.each([0, -1, 1.5, Number.NaN])("refuses a pool of %d connections", async (poolSize) => {
    await expect(openDatabase({ url: "postgres://localhost/sluice", poolSize })).rejects.toThrow(ConfigurationError);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a server on a port");
  return address.port;
}
