import { expect, test } from "vitest";
import { createToken, createUser, noIds, unique } from "./fixtures.js";
import type { StoresUnderTest } from "./stores-under-test.js";

export function tokensContract(stores: () => StoresUnderTest): void {
  test("keeps a token and finds it with its user", async () => {
    const { tokens } = stores();
    const user = await createUser(stores());
    for (const userAgent of [undefined, "Ω/1 '; --"]) {
      const token = await createToken(stores(), { userId: user.id, userAgent });
      expect(await tokens.find(token.digest)).toEqual({ token: { ...token, lastUsedAt: undefined }, user });
    }
  });

  test("leaves expiry to the caller", async () => {
    const { tokens } = stores();
    for (const expiresAt of [1, 1_600_000_000_001, Date.UTC(9999, 11, 31, 23, 59, 59, 999)]) {
      const token = await createToken(stores(), { expiresAt });
      expect((await tokens.find(token.digest))?.token.expiresAt).toBe(expiresAt);
    }
  });

  test("notes when a token was used last", async () => {
    const { tokens } = stores();
    const token = await createToken(stores());
    const bystander = await createToken(stores());
    await tokens.touch([token.digest], 1_700_000_000_001);
    await tokens.touch([token.digest], 1_700_000_060_002);
    expect((await tokens.find(token.digest))?.token.lastUsedAt).toBe(1_700_000_060_002);
    expect((await tokens.find(bystander.digest))?.token.lastUsedAt).toBeUndefined();
  });

  test("notes a use of many at once, of those that there are", async () => {
    const { tokens } = stores();
    const used = [await createToken(stores()), await createToken(stores())];
    const bystander = await createToken(stores());
    const digests = used.map(({ digest }) => digest);
    await tokens.touch([...digests, ...digests, unique("digest"), "nul\0"], 1_700_000_000_001);
    for (const digest of digests) {
      expect((await tokens.find(digest))?.token.lastUsedAt).toBe(1_700_000_000_001);
    }
    await tokens.touch([], 1_700_000_060_002);
    expect((await tokens.find(bystander.digest))?.token.lastUsedAt).toBeUndefined();
  });

  test("notes the uses that several note at a time", async () => {
    const { tokens } = stores();
    const made = await Promise.all(Array.from({ length: 50 }, () => createToken(stores())));
    const digests = made.map(({ digest }) => digest);
    const orders = [digests, [...digests].reverse()];
    await Promise.all(Array.from({ length: 8 }, (_, at) => tokens.touch(orders[at % 2] ?? [], 1_700_000_000_001)));
    const found = await tokens.findAll(digests);
    expect(found.map(({ token }) => token.lastUsedAt)).toEqual(digests.map(() => 1_700_000_000_001));
  });

  test("finds many at once, each with its user, and leaves out those that there are not", async () => {
    const { tokens } = stores();
    const made = [await createToken(stores()), await createToken(stores(), { expiresAt: 1_600_000_000_001 })];
    const same = await createToken(stores(), { userId: made[0]?.userId ?? "" });
    await tokens.touch([same.digest], 1_700_000_000_001);
    const digests = [...made, same].map(({ digest }) => digest);
    const each = await Promise.all(digests.map((digest) => tokens.find(digest)));
    expect(each.every((one) => one !== undefined)).toBe(true);

    const found = await tokens.findAll([unique("digest"), ...digests, "nul\0", "", ...digests, "{", '"', "\\", "a,b"]);
    expect(found).toHaveLength(3);
    expect(found).toEqual(expect.arrayContaining(each));
    expect(await tokens.findAll([same.digest])).toEqual([each[2]]);
    expect(await tokens.findAll([unique("digest")])).toEqual([]);
    expect(await tokens.findAll([])).toEqual([]);
  });

  test("finds any digest among many, to the letter", async () => {
    const { tokens } = stores();
    const { id: userId } = await createUser(stores());
    const digests = ["{}", '"', "\\", "a,b", "NULL", " ", "ä🔑", "'; --"].map((text) => `${text}${unique("digest")}`);
    for (const digest of digests)
      await tokens.create({ digest, userId, createdAt: 1, expiresAt: undefined, userAgent: undefined });
    const found = await tokens.findAll(digests);
    expect(found.map(({ token }) => token.digest).sort()).toEqual([...digests].sort());
  });

  test("finds a few among thousands that there are not", async () => {
    const { tokens } = stores();
    const { digest } = await createToken(stores());
    const found = await tokens.findAll([...Array.from({ length: 5_000 }, () => unique("digest")), digest]);
    expect(found.map(({ token }) => token.digest)).toEqual([digest]);
  });

  test("removes a token once", async () => {
    const { tokens } = stores();
    const token = await createToken(stores());
    expect(await tokens.remove(token.digest)).toBe(true);
    expect(await tokens.find(token.digest)).toBeUndefined();
    expect(await tokens.remove(token.digest)).toBe(false);
  });

  test("removes and counts the tokens of one user and no other", async () => {
    const { tokens } = stores();
    const [user, bystander] = [await createUser(stores()), await createUser(stores())];
    const made: { readonly digest: string }[] = [];
    for (const owner of [user, user, user, bystander]) made.push(await createToken(stores(), { userId: owner.id }));
    const kept = () => Promise.all(made.map(async ({ digest }) => (await tokens.find(digest)) !== undefined));
    expect(await kept()).toEqual([true, true, true, true]);
    expect(await tokens.removeAllOf(user.id)).toBe(3);
    expect(await kept()).toEqual([false, false, false, true]);
    expect(await tokens.removeAllOf(user.id)).toBe(0);
  });

  test("lists the tokens of a user and of nobody else, those used last first, as many as are asked for", async () => {
    const { tokens } = stores();
    const { id: userId } = await createUser(stores());
    await createToken(stores());
    const [oldest, newest, middle] = [
      await createToken(stores(), { userId, createdAt: 1_000 }),
      await createToken(stores(), { userId, createdAt: 1, expiresAt: 2 }),
      await createToken(stores(), { userId, createdAt: 2_000, userAgent: "two" }),
    ];
    await tokens.touch([newest.digest], 3_000);
    const listed = [
      { ...newest, lastUsedAt: 3_000 },
      { ...middle, lastUsedAt: undefined },
      { ...oldest, lastUsedAt: undefined },
    ];
    expect(await tokens.listOf(userId, 10)).toEqual(listed);
    expect(await tokens.listOf(userId, 2)).toEqual(listed.slice(0, 2));
  });

  test("removes all tokens of a user but one", async () => {
    const { tokens } = stores();
    const [kept, bystander] = [await createToken(stores()), await createToken(stores())];
    for (let made = 0; made < 2; made++) await createToken(stores(), { userId: kept.userId });
    expect(await tokens.removeAllOf(kept.userId, kept.digest)).toBe(2);
    expect(await tokens.listOf(kept.userId, 10)).toMatchObject([{ digest: kept.digest }]);
    expect(await tokens.removeAllOf(kept.userId, bystander.digest)).toBe(1);
    expect(await tokens.find(bystander.digest)).toBeDefined();
  });

  test("shows the user as they are now", async () => {
    const { tokens, users } = stores();
    const token = await createToken(stores());
    await users.setPasswordHash(token.userId, "changed");
    expect((await tokens.find(token.digest))?.user.passwordHash).toBe("changed");
  });

  test("refuses a digest that is there already, and keeps the first", async () => {
    const { tokens } = stores();
    const token = await createToken(stores());
    const thief = await createUser(stores());
    await expect(tokens.create({ ...token, userId: thief.id })).rejects.toThrow();
    expect((await tokens.find(token.digest))?.user.id).toBe(token.userId);
  });

  test.each(noIds)("refuses a token for an id that is $what, and keeps none", async ({ id: userId }) => {
    const { tokens } = stores();
    const digest = unique("digest");
    const token = { digest, userId, createdAt: 1, expiresAt: undefined, userAgent: undefined };
    await expect(tokens.create(token)).rejects.toThrow(TypeError);
    expect(await tokens.find(digest)).toBeUndefined();
    expect(await tokens.removeAllOf(userId)).toBe(0);
    expect(await tokens.listOf(userId, 10)).toEqual([]);
  });

  test("finds, touches and removes nothing under a digest that was never made", async () => {
    const { tokens } = stores();
    for (const digest of [unique("digest"), "", "nul\0", "\ud800", "%", "' or true; --", "x".repeat(100_000)]) {
      expect(await tokens.find(digest)).toBeUndefined();
      expect(await tokens.remove(digest)).toBe(false);
      expect(await tokens.findAll([digest])).toEqual([]);
      await expect(tokens.touch([digest], 1)).resolves.toBeUndefined();
    }
  });
}
