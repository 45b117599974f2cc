import { OpaqueTokens } from "@sluice/core";
import { FakeClock } from "@sluice/testing";
import { tokenVerifierContract } from "@sluice/testing/contract";
import { afterAll } from "vitest";
import { openDatabase } from "./database.js";

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
