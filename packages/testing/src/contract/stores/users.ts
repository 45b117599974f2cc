import { expect, test } from "vitest";
import { createUser, noIds, texts, unique } from "./fixtures.js";
import type { StoresUnderTest } from "./stores-under-test.js";

export function usersContract(stores: () => StoresUnderTest): void {
  test("keeps an account and finds it again", async () => {
    const { users } = stores();
    const username = unique("alice");
    const user = await users.create({ username, name: "Alice", passwordHash: "$argon2id$..." });
    expect(user).toEqual({
      id: expect.stringMatching(/^.+$/),
      username,
      name: "Alice",
      passwordHash: "$argon2id$...",
      isActive: true,
      isSuperuser: false,
      createdAt: expect.any(Number),
    });
    expect(Math.abs(Date.now() - user.createdAt)).toBeLessThan(60_000);
    expect(await users.findById(user.id)).toEqual(user);
    expect(await users.findByUsername(username)).toEqual(user);
  });

  test("keeps that an account is a superuser's", async () => {
    const { users } = stores();
    const user = await users.create({ username: unique("root"), name: "", passwordHash: "x", isSuperuser: true });
    expect(user.isSuperuser).toBe(true);
    expect((await users.findById(user.id))?.isSuperuser).toBe(true);
  });

  test.each(["Alice", "ÄRGER", "Жанна"])("finds %s whatever the case, and keeps it as it was typed", async (typed) => {
    const { users } = stores();
    const username = unique(typed);
    const user = await createUser(stores(), username);
    expect(user.username).toBe(username);
    expect(await users.findByUsername(username.toLowerCase())).toEqual(user);
    expect(await users.findByUsername(username.toUpperCase())).toEqual(user);
  });

  test("refuses a name that is taken, whatever the case", async () => {
    const { users } = stores();
    const first = await createUser(stores(), unique("Bob"));
    for (const username of [first.username, first.username.toUpperCase(), first.username.toLowerCase()]) {
      await expect(users.create({ username, name: "Bobby", passwordHash: "other" })).rejects.toMatchObject({
        code: "username_taken",
      });
    }
    expect(await users.findByUsername(first.username)).toEqual(first);
  });

  test("gives a name to one of many who race for it", async () => {
    const { users } = stores();
    const username = unique("race");
    const outcomes = await Promise.allSettled(
      Array.from({ length: 16 }, (_, index) =>
        users.create({ username: index % 2 ? username : username.toUpperCase(), name: `${index}`, passwordHash: "x" }),
      ),
    );
    const winners = outcomes.filter((outcome) => outcome.status === "fulfilled");
    const losers = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(winners).toHaveLength(1);
    expect(losers.map((outcome) => outcome.reason.code)).toEqual(Array(15).fill("username_taken"));
    expect(await users.findByUsername(username)).toEqual(winners[0]?.value);
  });

  test("takes a name as text, not as a pattern", async () => {
    const { users } = stores();
    const user = await createUser(stores(), unique("axb"));
    expect(await users.findByUsername(user.username.replace("x", "_"))).toBeUndefined();
    expect(await users.findByUsername("%")).toBeUndefined();
    expect(await users.findByUsername(` ${user.username}`)).toBeUndefined();
    expect(await users.findByUsername("' or true; --")).toBeUndefined();
  });

  test("finds nobody under a name that was never given", async () => {
    for (const username of [unique("nobody"), "", "nul\0", "\ud800", "x".repeat(100_000)]) {
      expect(await stores().users.findByUsername(username)).toBeUndefined();
    }
  });

  test.each(noIds)("finds nobody under an id that is $what", async ({ id }) => {
    const { users } = stores();
    expect(await users.findById(id)).toBeUndefined();
    expect(await users.setPasswordHash(id, "x")).toBe(false);
    expect(await users.setActive(id, false)).toBe(false);
  });

  test("keeps names of any script, to the letter", async () => {
    const { users } = stores();
    for (const name of texts) {
      const user = await users.create({ username: unique("script"), name, passwordHash: "x" });
      expect(user.name).toBe(name);
      expect((await users.findById(user.id))?.name).toBe(name);
    }
  });

  test("changes the hash of one account and no other", async () => {
    const { users } = stores();
    const [user, bystander] = [await createUser(stores()), await createUser(stores())];
    expect(await users.setPasswordHash(user.id, "new")).toBe(true);
    expect(await users.findById(user.id)).toEqual({ ...user, passwordHash: "new" });
    expect(await users.findById(bystander.id)).toEqual(bystander);
  });

  test("changes a hash for one of many who expect the same", async () => {
    const { users } = stores();
    const user = await createUser(stores());
    const changes = await Promise.all(["a", "b", "c"].map((hash) => users.setPasswordHash(user.id, hash, "hash")));
    expect(changes.filter((changed) => changed)).toHaveLength(1);
    expect(await users.setPasswordHash(user.id, "late", "hash")).toBe(false);
    expect((await users.findById(user.id))?.passwordHash).toBe("abc"[changes.indexOf(true)]);
  });

  test("keeps who may log in, of one account and no other", async () => {
    const { users } = stores();
    const [user, bystander] = [await createUser(stores()), await createUser(stores())];
    expect(await users.setActive(user.id, false)).toBe(true);
    expect(await users.findById(user.id)).toEqual({ ...user, isActive: false });
    expect(await users.findById(bystander.id)).toEqual(bystander);
    expect(await users.setActive(user.id, true)).toBe(true);
    expect(await users.findById(user.id)).toEqual(user);
  });

  test("refuses NUL characters with a TypeError that names the field", async () => {
    const { users } = stores();
    const good = { username: unique("nul"), name: "n", passwordHash: "h" };
    for (const field of ["username", "name", "passwordHash"] as const) {
      const bad = { ...good, [field]: `${good[field]}\0` };
      await expect(users.create(bad)).rejects.toThrow(TypeError);
      await expect(users.create(bad)).rejects.toThrow(new RegExp(`${field}.*NUL`));
    }
    expect(await users.findByUsername(good.username)).toBeUndefined();
    const user = await users.create(good);
    await expect(users.setPasswordHash(user.id, "a\0b")).rejects.toThrow(TypeError);
    expect(await users.findById(user.id)).toEqual(user);
  });
}
