import { InMemoryChannelLayer, Leases, TokenCache } from "@sluice/core";
import { FakeClock } from "@sluice/testing";
import { tokenVerifierContract } from "@sluice/testing/contract";
import { afterAll } from "vitest";
import { JwtTokens } from "./jwt-tokens.js";

const alice = { id: "7", username: "alice", name: "Alice" };
const hour = 3_600_000;
const clock = new FakeClock();
const revoked = new Set<string>();
const options = { issuer: "sluice", audience: "chat", clock, clockTolerance: 0 };
const tokens = new JwtTokens({
  ...options,
  keys: { current: "a secret of at least thirty-two bytes" },
  revocations: { isRevoked: async ({ tokenId }) => revoked.has(tokenId) },
});
const leases = new Leases({ layer: new InMemoryChannelLayer({ clock }), clock });
afterAll(() => leases.close());
// Nothing is remembered before the process hears itself.
leases.vouchesFor({ user: { ...alice, isAuthenticated: true }, tokenId: "none", expiresAt: undefined }, clock.now());
await clock.advance(1_000);
const cached = new TokenCache({ verifier: tokens, leases });

tokenVerifierContract({
  name: "A TokenCache on JwtTokens",
  verifier: cached,
  async issue() {
    return { token: (await tokens.issue(alice, { expiresIn: hour })).token, user: alice };
  },
  async issueExpired() {
    const { token } = await tokens.issue(alice, { expiresIn: 1_000 });
    await cached.verify(token);
    await clock.advance(1_000);
    return token;
  },
  async issueRevoked() {
    const { token, jti } = await tokens.issue(alice, { expiresIn: hour });
    await cached.verify(token);
    revoked.add(jti);
    await leases.revokeToken(jti);
    return token;
  },
  async issueElsewhere() {
    const keys = { current: "some other secret of as many bytes" };
    return (await new JwtTokens({ ...options, keys }).issue(alice, { expiresIn: hour })).token;
  },
});
