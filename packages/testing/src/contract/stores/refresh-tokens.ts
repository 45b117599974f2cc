import { RefreshTokens, systemClock } from "@sluice/core";
import { expect, test } from "vitest";
import { createFamily, createUser, later, noIds, unique } from "./fixtures.js";
import type { StoresUnderTest } from "./stores-under-test.js";

export function refreshTokensContract(stores: () => StoresUnderTest): void {
  test("keeps a family and finds it with its user", async () => {
    const { refreshTokens } = stores();
    const user = await createUser(stores());
    const previous = { digest: unique("digest"), salt: unique("salt"), until: later() };
    for (const details of [{ scopes: ["chat:read"] }, { scopes: [] }, { previous }, { userAgent: "Ω/1 '; --" }]) {
      const family = await createFamily(stores(), { userId: user.id, ...details });
      expect(await refreshTokens.find(family.id)).toEqual({ family, user });
    }
  });

  test("replaces a token that is good, and no other", async () => {
    const { refreshTokens } = stores();
    const [family, bystander] = [await createFamily(stores()), await createFamily(stores())];
    const previous = { digest: family.current, salt: unique("salt"), until: later() };
    const next = { current: unique("digest"), previous, lastUsedAt: later(), expiresAt: later() + 1 };
    expect(await refreshTokens.replace(family.id, bystander.current, next)).toBe(false);
    expect(await refreshTokens.replace(family.id, family.current, next)).toBe(true);
    expect(await refreshTokens.replace(family.id, family.current, { ...next, current: "x" })).toBe(false);
    expect((await refreshTokens.find(family.id))?.family).toEqual({ ...family, ...next });
    expect((await refreshTokens.find(bystander.id))?.family).toEqual(bystander);

    const last = { current: unique("digest"), previous: undefined, lastUsedAt: 1, expiresAt: later() };
    expect(await refreshTokens.replace(family.id, next.current, last)).toBe(true);
    expect((await refreshTokens.find(family.id))?.family).toEqual({ ...family, ...last });
  });

  test("removes a family once", async () => {
    const { refreshTokens } = stores();
    const family = await createFamily(stores());
    const removals = await Promise.all(Array.from({ length: 8 }, () => refreshTokens.remove(family.id)));
    expect(removals.filter((removed) => removed)).toHaveLength(1);
    expect(await refreshTokens.find(family.id)).toBeUndefined();
    const next = { current: "x", previous: undefined, lastUsedAt: 1, expiresAt: later() };
    expect(await refreshTokens.replace(family.id, family.current, next)).toBe(false);
  });

  test("removes and counts the families of one user and no other", async () => {
    const { refreshTokens } = stores();
    const bystander = await createFamily(stores());
    const { id, userId } = await createFamily(stores());
    await createFamily(stores(), { userId });
    expect(await refreshTokens.removeAllOf(userId)).toBe(2);
    expect(await refreshTokens.removeAllOf(userId)).toBe(0);
    expect(await refreshTokens.find(id)).toBeUndefined();
    expect(await refreshTokens.find(bystander.id)).toBeDefined();
  });

  test("lists the families of a user and of nobody else, those used last first, as many as are asked for", async () => {
    const { refreshTokens } = stores();
    const { id: userId } = await createUser(stores());
    await createFamily(stores());
    const oldest = await createFamily(stores(), { userId, lastUsedAt: 1, userAgent: "one" });
    const newest = await createFamily(stores(), { userId, lastUsedAt: 3, expiresAt: Date.now() - 1_000 });
    const middle = await createFamily(stores(), { userId, lastUsedAt: 2, scopes: ["a"] });
    expect(await refreshTokens.listOf(userId, 10)).toEqual([newest, middle, oldest]);
    expect(await refreshTokens.listOf(userId, 2)).toEqual([newest, middle]);
  });

  test("removes all families of a user but one", async () => {
    const { refreshTokens } = stores();
    const [kept, bystander] = [await createFamily(stores()), await createFamily(stores())];
    for (let made = 0; made < 2; made++) await createFamily(stores(), { userId: kept.userId });
    expect(await refreshTokens.removeAllOf(kept.userId, kept.id)).toBe(2);
    expect(await refreshTokens.listOf(kept.userId, 10)).toEqual([kept]);
    expect(await refreshTokens.removeAllOf(kept.userId, bystander.id)).toBe(1);
    expect(await refreshTokens.find(bystander.id)).toBeDefined();
  });

  test("gives the next token to one of fifty who bring the same, and ends the family for the others", async () => {
    const { refreshTokens: store } = stores();
    const { id: userId } = await createUser(stores());
    const reuses: string[] = [];
    const tokens = new RefreshTokens({
      store,
      clock: systemClock,
      onReuse: ({ sessionId }) => void reuses.push(sessionId),
    });
    const { token, sessionId } = await tokens.issue(userId);
    const answers = await Promise.all(Array.from({ length: 50 }, () => tokens.rotate(token)));
    const given = answers.flatMap((answer) => answer ?? []);
    expect(given).toHaveLength(1);
    expect(reuses).toEqual([sessionId]);
    expect(await tokens.rotate(given[0]?.token ?? "")).toBeUndefined();
    expect(await store.find(sessionId)).toBeUndefined();
  });

  test("gives fifty who bring the same token the same next one, within the grace", async () => {
    const { id: userId } = await createUser(stores());
    const onReuse = () => expect.fail("expected no reuse");
    const tokens = new RefreshTokens({
      store: stores().refreshTokens,
      clock: systemClock,
      onReuse,
      grace: 60_000,
    });
    const { token } = await tokens.issue(userId);
    const answers = await Promise.all(Array.from({ length: 50 }, () => tokens.rotate(token)));
    expect(new Set(answers.map((answer) => answer?.token)).size).toBe(1);
    expect(await tokens.rotate(answers[0]?.token ?? "")).toMatchObject({ user: { id: userId } });
  });

  test.each(noIds)("refuses a family for an id that is $what, and keeps none", async ({ id: userId }) => {
    const { refreshTokens } = stores();
    const id = unique("family");
    await expect(createFamily(stores(), { id, userId })).rejects.toThrow(TypeError);
    expect(await refreshTokens.find(id)).toBeUndefined();
    expect(await refreshTokens.removeAllOf(userId)).toBe(0);
    expect(await refreshTokens.listOf(userId, 10)).toEqual([]);
  });

  test("finds, replaces and removes nothing under an id that was never made", async () => {
    const { refreshTokens } = stores();
    const next = { current: "x", previous: undefined, lastUsedAt: 1, expiresAt: later() };
    for (const id of [unique("family"), "", "nul\0", "\ud800", "%", "x".repeat(100_000)]) {
      expect(await refreshTokens.find(id)).toBeUndefined();
      expect(await refreshTokens.replace(id, "x", next)).toBe(false);
      expect(await refreshTokens.remove(id)).toBe(false);
    }
  });
}
