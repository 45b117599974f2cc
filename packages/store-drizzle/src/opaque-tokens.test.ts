import { randomBytes } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { InMemoryChannelLayer, Leases, OpaqueTokens, TokenCache } from "@sluice/core";
import { FakeClock } from "@sluice/testing";
import { tokenVerifierContract } from "@sluice/testing/contract";
import postgres from "postgres";
import { afterAll, expect, test, vi } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { type Database, openDatabase } from "./database.js";

const [database, elsewhere] = await Promise.all([openDatabase({ memory: true }), openDatabase({ memory: true })]);
await Promise.all([database.migrate(), elsewhere.migrate()]);
afterAll(() => Promise.all([database.close(), elsewhere.close()]));

const alice = { username: "alice", name: "Alice", passwordHash: "x" };
const user = await database.users.create(alice);
const clock = new FakeClock();
const tokens = new OpaqueTokens({ store: database.tokens, clock });

tokenVerifierContract({
  name: "OpaqueTokens",
  verifier: tokens,
  async issue() {
    const { token } = await tokens.issue(user.id, { expiresAt: clock.now() + 60_000 });
    return { token, user };
  },
  async issueExpired() {
    return (await tokens.issue(user.id, { expiresAt: clock.now() - 1 })).token;
  },
  async issueRevoked() {
    const { token } = await tokens.issue(user.id);
    await tokens.revoke(token);
    return token;
  },
  async issueElsewhere() {
    const { id } = (await elsewhere.users.findByUsername("alice")) ?? (await elsewhere.users.create(alice));
    return (await new OpaqueTokens({ store: elsewhere.tokens, clock }).issue(id)).token;
  },
});

const leases = new Leases({ layer: new InMemoryChannelLayer({ clock }), clock });
afterAll(() => leases.close());
// Nothing is remembered before the process hears itself.
leases.vouchesFor({ user: { ...user, isAuthenticated: true }, tokenId: "none", expiresAt: undefined }, clock.now());
await clock.advance(1_000);
const cached = new TokenCache({ verifier: tokens, leases });

tokenVerifierContract({
  name: "A TokenCache on OpaqueTokens",
  verifier: cached,
  async issue() {
    const { token } = await tokens.issue(user.id, { expiresAt: clock.now() + 60_000 });
    return { token, user };
  },
  async issueExpired() {
    const { token } = await tokens.issue(user.id, { expiresAt: clock.now() + 1 });
    await cached.verify(token);
    await clock.advance(1);
    return token;
  },
  async issueRevoked() {
    const { token, digest } = await tokens.issue(user.id);
    await cached.verify(token);
    await tokens.revoke(token);
    await leases.revokeToken(digest);
    return token;
  },
  async issueElsewhere() {
    const { id } = (await elsewhere.users.findByUsername("alice")) ?? (await elsewhere.users.create(alice));
    return (await new OpaqueTokens({ store: elsewhere.tokens, clock }).issue(id)).token;
  },
});

/** Verifies 5,000 different tokens at once, most of them unknown, and says how many were good. */
async function verifyCrowd({ tokens: store }: Database, issued: readonly string[]): Promise<number> {
  const crowd = [...issued];
  while (crowd.length < 5_000) crowd.push(randomBytes(32).toString("base64url"));
  const fresh = new OpaqueTokens({ store, clock });
  const grants = await Promise.all(crowd.map(async (token) => fresh.verify(token)));
  return grants.filter((grant) => grant !== undefined).length;
}

/** Five look-ups, and as many notes of a use. */
const fewStatements = 10;

test("a crowd of tokens costs PGlite a few statements", async () => {
  const issued = [await tokens.issue(user.id), await tokens.issue(user.id)].map(({ token }) => token);
  const query = vi.spyOn(PGlite.prototype, "query");
  expect(await verifyCrowd(database, issued)).toBe(2);
  // Waits in line behind the notes.
  await database.ping();
  expect(query.mock.calls.length).toBeGreaterThan(1);
  expect(query.mock.calls.length).toBeLessThanOrEqual(fewStatements + 1);
  query.mockRestore();
});

describePostgres(() => {
  test("a crowd of tokens costs PostgreSQL a few statements, by its own count", async () => {
    const url = await freshDatabase();
    const before = await openDatabase({ url });
    await before.migrate();
    const { id } = await before.users.create(alice);
    const { token } = await new OpaqueTokens({ store: before.tokens, clock }).issue(id);
    await before.close();

    const name = new URL(url).pathname.slice(1);
    const sql = postgres(await freshDatabase(), { max: 1 });
    /** Transactions so far, one of which is each statement of ours, when all connections have ended and told. */
    const transactions = async (): Promise<number> => {
      await vi.waitFor(
        async () => expect(await sql`select from pg_stat_activity where datname = ${name}`).toHaveLength(0),
        { timeout: 20_000, interval: 50 },
      );
      const [row] =
        await sql`select xact_commit + xact_rollback as count from pg_stat_database where datname = ${name}`;
      return Number(row?.count);
    };
    try {
      const start = await transactions();
      const counted = await openDatabase({ url });
      expect(await verifyCrowd(counted, [token])).toBe(1);
      await counted.close();
      const used = (await transactions()) - start;
      expect(used).toBeGreaterThan(0);
      // To connect is one, too, and the server may have cleaned up meanwhile.
      expect(used).toBeLessThanOrEqual(fewStatements + 90);
    } finally {
      await sql.end({ timeout: 5 });
    }
  });
});
