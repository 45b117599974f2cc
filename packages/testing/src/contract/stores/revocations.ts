import { expect, test } from "vitest";
import { createFamily, createGrant, later, noIds, unique } from "./fixtures.js";
import type { StoresUnderTest } from "./stores-under-test.js";

export function revocationsContract(stores: () => StoresUnderTest): void {
  test("knows what was revoked and nothing else", async () => {
    const { revocations } = stores();
    const [revoked, bystander] = [await createGrant(stores()), await createGrant(stores())];
    expect(await revocations.isRevoked(revoked)).toBe(false);
    await revocations.revoke(revoked.tokenId, later());
    expect(await revocations.isRevoked(revoked)).toBe(true);
    expect(await revocations.isRevoked(bystander)).toBe(false);
    for (const tokenId of ["", "%"]) expect(await revocations.isRevoked({ ...bystander, tokenId })).toBe(false);
  });

  test("revokes twice, also at the same time", async () => {
    const { revocations } = stores();
    const grant = await createGrant(stores());
    await Promise.all(Array.from({ length: 8 }, () => revocations.revoke(grant.tokenId, later())));
    expect(await revocations.isRevoked(grant)).toBe(true);
  });

  test("keeps what has not expired while more is revoked", async () => {
    const { revocations } = stores();
    const grant = await createGrant(stores());
    await revocations.revoke(grant.tokenId, later());
    await revocations.revoke(grant.tokenId, 1);
    for (let count = 0; count < 3; count += 1) await revocations.revoke(unique("jti"), later());
    expect(await revocations.isRevoked(grant)).toBe(true);
  });

  test("takes back what a user was issued before a moment, to the millisecond, and nobody else", async () => {
    const { revocations } = stores();
    const [grant, bystander] = [await createGrant(stores()), await createGrant(stores())];
    const moment = 1_700_000_000_500;
    await revocations.revokeIssuedBefore(grant.user.id, moment);
    const isRevoked = (issuedAt: number | undefined) => revocations.isRevoked({ ...grant, issuedAt });
    expect(await isRevoked(moment - 1)).toBe(true);
    expect(await isRevoked(moment)).toBe(false);
    expect(await isRevoked(moment + 1)).toBe(false);
    // It may be from before.
    expect(await isRevoked(undefined)).toBe(true);
    expect(await revocations.isRevoked({ ...bystander, issuedAt: 1 })).toBe(false);

    await revocations.revokeIssuedBefore(grant.user.id, moment + 10);
    await revocations.revokeIssuedBefore(grant.user.id, moment);
    expect(await isRevoked(moment + 9)).toBe(true);
    expect(await isRevoked(moment + 10)).toBe(false);
  });

  test("takes back the tokens of a session that has ended, or is another's", async () => {
    const { refreshTokens, revocations } = stores();
    const [grant, bystander] = [await createGrant(stores()), await createGrant(stores())];
    const { id: sessionId } = await createFamily(stores(), { userId: grant.user.id });
    const { id: other } = await createFamily(stores(), { userId: grant.user.id });
    expect(await revocations.isRevoked({ ...grant, sessionId })).toBe(false);
    expect(await revocations.isRevoked({ ...bystander, sessionId })).toBe(true);
    await refreshTokens.remove(sessionId);
    expect(await revocations.isRevoked({ ...grant, sessionId })).toBe(true);
    expect(await revocations.isRevoked({ ...grant, sessionId: other })).toBe(false);
    for (const never of [unique("family"), "", "nul\0"]) {
      expect(await revocations.isRevoked({ ...grant, sessionId: never })).toBe(true);
    }
  });

  test("takes back the tokens of an account that is not active", async () => {
    const { revocations, users } = stores();
    const grant = await createGrant(stores());
    await users.setActive(grant.user.id, false);
    expect(await revocations.isRevoked(grant)).toBe(true);
    await users.setActive(grant.user.id, true);
    expect(await revocations.isRevoked(grant)).toBe(false);
  });

  test.each(noIds)("takes back the tokens of an account whose id is $what", async ({ id }) => {
    const { revocations } = stores();
    const grant = await createGrant(stores());
    expect(await revocations.isRevoked({ ...grant, user: { ...grant.user, id } })).toBe(true);
    await expect(revocations.revokeIssuedBefore(id, later())).rejects.toThrow(TypeError);
  });

  test("refuses NUL characters with a TypeError", async () => {
    const { revocations } = stores();
    await expect(revocations.revoke("a\0b", later())).rejects.toThrow(TypeError);
    expect(await revocations.isRevoked({ ...(await createGrant(stores())), tokenId: "a\0b" })).toBe(true);
  });
}
