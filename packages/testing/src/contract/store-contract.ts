import {
  type Grant,
  type MessageStore,
  type RefreshFamily,
  type RefreshTokenStore,
  RefreshTokens,
  type RevocationStore,
  type SessionRecord,
  type SessionStore,
  systemClock,
  type TicketRecord,
  type TicketStore,
  type TokenStore,
  type UserRecord,
  type UserStore,
} from "@sluice/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sessionStoreContract } from "./session-store-contract.js";

/** The stores under test, empty or not: the tests make names of their own. */
export interface StoresUnderTest {
  readonly users: UserStore;
  readonly tokens: TokenStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly tickets: TicketStore;
  /** Beside these users and these families of refresh tokens. */
  readonly revocations: RevocationStore;
  readonly sessions: SessionStore;
  readonly messages: MessageStore;
  close(): Promise<void>;
}

export interface StoreContract {
  readonly name: string;
  /** Called once. */
  open(): Promise<StoresUnderTest>;
}

/** Tests what each of the stores promises. */
export function storeContract(contract: StoreContract): void {
  describe(`${contract.name} as a store`, () => {
    let stores: StoresUnderTest;
    beforeAll(async () => {
      stores = await contract.open();
    });
    afterAll(() => stores.close());

    describe("users", () => usersContract(() => stores));
    describe("tokens", () => tokensContract(() => stores));
    describe("refresh tokens", () => refreshTokensContract(() => stores));
    describe("tickets", () => ticketsContract(() => stores));
    describe("revocations", () => revocationsContract(() => stores));
    describe("sessions", () => sessionsContract(() => stores));
    describe("messages", () => messagesContract(() => stores));
  });
}

function usersContract(stores: () => StoresUnderTest): void {
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

function tokensContract(stores: () => StoresUnderTest): void {
  test("keeps a token and finds it with its user", async () => {
    const { tokens } = stores();
    const user = await createUser(stores());
    const token = { digest: unique("digest"), userId: user.id, createdAt: 1_700_000_000_123, expiresAt: undefined };
    await tokens.create(token);
    expect(await tokens.find(token.digest)).toEqual({ token: { ...token, lastUsedAt: undefined }, user });
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
    for (const digest of digests) await tokens.create({ digest, userId, createdAt: 1, expiresAt: undefined });
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
    await expect(tokens.create({ digest, userId, createdAt: 1, expiresAt: undefined })).rejects.toThrow(TypeError);
    expect(await tokens.find(digest)).toBeUndefined();
    expect(await tokens.removeAllOf(userId)).toBe(0);
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

function refreshTokensContract(stores: () => StoresUnderTest): void {
  test("keeps a family and finds it with its user", async () => {
    const { refreshTokens } = stores();
    const user = await createUser(stores());
    const previous = { digest: unique("digest"), salt: unique("salt"), until: later() };
    for (const details of [{ scopes: ["chat:read", "chat:write"] }, { scopes: [] }, { previous }]) {
      const family = await createFamily(stores(), { userId: user.id, ...details });
      expect(await refreshTokens.find(family.id)).toEqual({ family, user });
    }
  });

  test("replaces a token that is good, and no other", async () => {
    const { refreshTokens } = stores();
    const [family, bystander] = [await createFamily(stores()), await createFamily(stores())];
    const previous = { digest: family.current, salt: unique("salt"), until: later() };
    const next = { current: unique("digest"), previous, expiresAt: later() + 1 };
    expect(await refreshTokens.replace(family.id, bystander.current, next)).toBe(false);
    expect(await refreshTokens.replace(family.id, family.current, next)).toBe(true);
    expect(await refreshTokens.replace(family.id, family.current, { ...next, current: "x" })).toBe(false);
    expect((await refreshTokens.find(family.id))?.family).toEqual({ ...family, ...next });
    expect((await refreshTokens.find(bystander.id))?.family).toEqual(bystander);

    const last = { current: unique("digest"), previous: undefined, expiresAt: later() };
    expect(await refreshTokens.replace(family.id, next.current, last)).toBe(true);
    expect((await refreshTokens.find(family.id))?.family).toEqual({ ...family, ...last });
  });

  test("removes a family once", async () => {
    const { refreshTokens } = stores();
    const family = await createFamily(stores());
    const removals = await Promise.all(Array.from({ length: 8 }, () => refreshTokens.remove(family.id)));
    expect(removals.filter((removed) => removed)).toHaveLength(1);
    expect(await refreshTokens.find(family.id)).toBeUndefined();
    const next = { current: "x", previous: undefined, expiresAt: later() };
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
  });

  test("finds, replaces and removes nothing under an id that was never made", async () => {
    const { refreshTokens } = stores();
    const next = { current: "x", previous: undefined, expiresAt: later() };
    for (const id of [unique("family"), "", "nul\0", "\ud800", "%", "x".repeat(100_000)]) {
      expect(await refreshTokens.find(id)).toBeUndefined();
      expect(await refreshTokens.replace(id, "x", next)).toBe(false);
      expect(await refreshTokens.remove(id)).toBe(false);
    }
  });
}

function ticketsContract(stores: () => StoresUnderTest): void {
  test("gives a ticket with its user, once", async () => {
    const { tickets } = stores();
    const user = await createUser(stores());
    const ticket = await createTicket(stores(), { userId: user.id });
    expect(await tickets.consume(ticket.digest)).toEqual({ ticket, user });
    expect(await tickets.consume(ticket.digest)).toBeUndefined();
  });

  test("gives a ticket to one of fifty who ask at once", async () => {
    const { tickets } = stores();
    const [ticket, bystander] = [await createTicket(stores()), await createTicket(stores())];
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => tickets.consume(ticket.digest)));
    expect(outcomes.filter((outcome) => outcome !== undefined).map((outcome) => outcome.ticket)).toEqual([ticket]);
    expect((await tickets.consume(bystander.digest))?.ticket).toEqual(bystander);
  });

  test("keeps what is known of a token, and what is not", async () => {
    const { tickets } = stores();
    const grants: TicketRecord["grant"][] = [
      { tokenId: unique("jti"), expiresAt: undefined },
      { tokenId: unique("jti"), expiresAt: 1_700_000_000_123, issuedAt: 1_600_000_000_001 },
      { tokenId: unique("jti"), expiresAt: 1, sessionId: unique("sid"), scopes: [] },
      { tokenId: "a\0b", expiresAt: 1, scopes: ["chat:write", "Ωmega", 'quo"te', "a\0b"] },
    ];
    for (const grant of grants) {
      const { digest } = await createTicket(stores(), { grant });
      expect((await tickets.consume(digest))?.ticket.grant).toEqual(grant);
    }
    for (const origin of [undefined, "", "null", "https://app.example.com:8443", "\u00e9"]) {
      const { digest } = await createTicket(stores(), { origin });
      expect((await tickets.consume(digest))?.ticket.origin).toBe(origin);
    }
  });

  test("leaves expiry to the caller", async () => {
    const { tickets } = stores();
    for (const expiresAt of [Date.now() - 1_000, Date.UTC(9999, 11, 31, 23, 59, 59, 999)]) {
      const { digest } = await createTicket(stores(), { expiresAt });
      await createTicket(stores());
      expect((await tickets.consume(digest))?.ticket.expiresAt).toBe(expiresAt);
    }
  });

  test("shows the user as they are now", async () => {
    const { tickets, users } = stores();
    const ticket = await createTicket(stores());
    await users.setPasswordHash(ticket.userId, "changed");
    expect((await tickets.consume(ticket.digest))?.user.passwordHash).toBe("changed");
  });

  test("refuses a digest that is there already, and keeps the first", async () => {
    const { tickets } = stores();
    const ticket = await createTicket(stores());
    const thief = await createUser(stores());
    await expect(tickets.create({ ...ticket, userId: thief.id })).rejects.toThrow();
    expect((await tickets.consume(ticket.digest))?.user.id).toBe(ticket.userId);
  });

  test.each(noIds)("refuses a ticket for an id that is $what, and keeps none", async ({ id: userId }) => {
    const { tickets } = stores();
    const digest = unique("digest");
    await expect(createTicket(stores(), { digest, userId })).rejects.toThrow(TypeError);
    expect(await tickets.consume(digest)).toBeUndefined();
  });

  test("refuses NUL characters with a TypeError that names the field", async () => {
    const { tickets } = stores();
    const userId = (await createUser(stores())).id;
    for (const field of ["digest", "origin", "purpose"] as const) {
      const digest = unique("digest");
      const bad = createTicket(stores(), { digest, userId, [field]: "a\0b" });
      await expect(bad).rejects.toThrow(TypeError);
      await expect(bad).rejects.toThrow(new RegExp(`${field}.*NUL`));
      expect(await tickets.consume(digest)).toBeUndefined();
    }
  });

  test("gives nothing for a digest that was never made", async () => {
    for (const digest of [unique("digest"), "", "nul\0", "\ud800", "%", "' or true; --", "x".repeat(100_000)]) {
      expect(await stores().tickets.consume(digest)).toBeUndefined();
    }
  });
}

function revocationsContract(stores: () => StoresUnderTest): void {
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

function sessionsContract(stores: () => StoresUnderTest): void {
  sessionStoreContract(() => ({
    sessions: stores().sessions,
    createUser: async () => (await createUser(stores())).id,
  }));

  const session = (fields: Partial<SessionRecord>): SessionRecord => ({
    ...{ digest: unique("digest"), userId: undefined, data: {}, createdAt: 1, lastSeenAt: 1, expiresAt: 2 },
    ...fields,
  });

  test.each(noIds)("refuses a session for an id that is $what, and keeps none", async ({ id: userId }) => {
    const { sessions } = stores();
    const made = session({ userId });
    await expect(sessions.create(made)).rejects.toThrow(TypeError);
    await expect(sessions.replace(unique("digest"), made)).rejects.toThrow(TypeError);
    expect(await sessions.find(made.digest)).toBeUndefined();
    expect(await sessions.removeAllOf(userId)).toBe(0);
  });

  test.each(["nul\0", "\ud800"])("refuses %j in data with a TypeError, and keeps nothing", async (text) => {
    const { sessions } = stores();
    const kept = session({ data: { a: 1 } });
    await sessions.create(kept);
    for (const data of [{ a: text }, { a: [{ b: text }] }, { [text]: 1 }]) {
      const made = session({ data });
      await expect(sessions.create(made)).rejects.toThrow(TypeError);
      await expect(sessions.save(kept.digest, { set: data, remove: [] })).rejects.toThrow(TypeError);
      expect(await sessions.find(made.digest)).toBeUndefined();
    }
    expect(await sessions.find(kept.digest)).toEqual(kept);
  });
}

function messagesContract(stores: () => StoresUnderTest): void {
  test("keeps a message and shows it with its sender", async () => {
    const { messages } = stores();
    const { id, username, name } = await createUser(stores());
    const room = unique("room");
    const message = await messages.append({ room, senderId: id, text: "hello" });
    expect(message).toEqual({
      id: expect.stringMatching(/^.+$/),
      room,
      sender: { id, username, name },
      text: "hello",
      sentAt: expect.any(Number),
    });
    expect(Math.abs(Date.now() - message.sentAt)).toBeLessThan(60_000);
    expect(await messages.recent(room, 10)).toEqual([message]);
  });

  test("shows the last messages, oldest first", async () => {
    const { messages } = stores();
    const room = unique("room");
    const sent = await appendAll(stores(), room, ["1", "2", "3", "4", "5"]);
    expect(await messages.recent(room, 3)).toEqual(sent.slice(2));
    expect(await messages.recent(room, 5)).toEqual(sent);
    expect(await messages.recent(room, 1_000_000)).toEqual(sent);
    expect(await messages.recent(room, 0)).toEqual([]);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses a limit of %d with a TypeError",
    async (limit) => {
      await expect(stores().messages.recent(unique("room"), limit)).rejects.toThrow(TypeError);
    },
  );

  test("keeps rooms apart, to the letter", async () => {
    const { messages } = stores();
    const room = unique("room");
    const [message] = await appendAll(stores(), room, ["here"]);
    for (const other of [unique("room"), room.toUpperCase(), `${room} `, "", "%", "nul\0"]) {
      expect(await messages.recent(other, 10)).toEqual([]);
    }
    expect(await messages.recent(room, 10)).toEqual([message]);
  });

  test("keeps text of any script, to the letter", async () => {
    const { messages } = stores();
    const room = unique("🏠 комната");
    const sent = await appendAll(stores(), room, texts);
    expect(sent.map((message) => message.text)).toEqual(texts);
    expect(await messages.recent(room, texts.length)).toEqual(sent);
  });

  test("replaces half a surrogate pair as UTF-8 must, in the answer too", async () => {
    const { messages } = stores();
    const room = unique("room");
    const [message] = await appendAll(stores(), room, ["a\ud800b"]);
    expect(message?.text).toBe("a\ufffdb");
    expect(await messages.recent(room, 1)).toEqual([message]);
  });

  test("refuses NUL characters with a TypeError, and keeps nothing", async () => {
    const { messages } = stores();
    const { id: senderId } = await createUser(stores());
    const room = unique("room");
    await expect(messages.append({ room, senderId, text: "a\0b" })).rejects.toThrow(TypeError);
    await expect(messages.append({ room, senderId, text: "a\0b" })).rejects.toThrow(/text.*NUL/);
    await expect(messages.append({ room: `${room}\0`, senderId, text: "a" })).rejects.toThrow(/room.*NUL/);
    expect(await messages.recent(room, 10)).toEqual([]);
  });

  test.each(noIds)("refuses a message from an id that is $what", async ({ id: senderId }) => {
    const { messages } = stores();
    const room = unique("room");
    await expect(messages.append({ room, senderId, text: "a" })).rejects.toThrow(TypeError);
    expect(await messages.recent(room, 10)).toEqual([]);
  });

  test("keeps each of a thousand messages that come at once, and their place before the next", async () => {
    const { messages } = stores();
    const room = unique("crowd");
    const { id: senderId } = await createUser(stores());
    const sent = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => messages.append({ room, senderId, text: `${index}` })),
    );
    const [last] = await appendAll(stores(), room, ["last"]);
    expect(new Set(sent.map((message) => message.id)).size).toBe(1000);

    const kept = await messages.recent(room, 2000);
    expect(kept).toHaveLength(1001);
    expect(kept.at(-1)).toEqual(last);
    const byId = new Map(kept.map((message) => [message.id, message]));
    for (const message of sent) expect(byId.get(message.id)).toEqual(message);
  });
}

let made = 0;

/** A name that no other test uses, in this process or another. */
function unique(prefix: string): string {
  made += 1;
  return `${prefix}-${crypto.randomUUID()}-${made}`;
}

function createUser(stores: StoresUnderTest, username: string = unique("user")): Promise<UserRecord> {
  return stores.users.create({ username, name: "Some Body", passwordHash: "hash" });
}

async function createToken(
  stores: StoresUnderTest,
  { userId, expiresAt }: { readonly userId?: string; readonly expiresAt?: number } = {},
) {
  const owner = userId ?? (await createUser(stores)).id;
  const token = { digest: unique("digest"), userId: owner, createdAt: 1_700_000_000_000, expiresAt };
  await stores.tokens.create(token);
  return token;
}

const later = (): number => Date.now() + 3_600_000;

async function createFamily(stores: StoresUnderTest, details: Partial<RefreshFamily> = {}): Promise<RefreshFamily> {
  const family = {
    id: unique("family"),
    userId: details.userId ?? (await createUser(stores)).id,
    scopes: undefined,
    createdAt: 1_700_000_000_123,
    expiresAt: later(),
    current: unique("digest"),
    previous: undefined,
    ...details,
  };
  await stores.refreshTokens.create(family);
  return family;
}

/** What a self-contained token of a new user entitles to. */
async function createGrant(stores: StoresUnderTest): Promise<Grant> {
  const { id, username } = await createUser(stores);
  const user = { isAuthenticated: true, id, username } as const;
  return { user, tokenId: unique("jti"), expiresAt: later(), issuedAt: 1_700_000_000_123 };
}

async function createTicket(stores: StoresUnderTest, fields: Partial<TicketRecord> = {}): Promise<TicketRecord> {
  const ticket = {
    digest: unique("digest"),
    userId: fields.userId ?? (await createUser(stores)).id,
    grant: { tokenId: unique("token"), expiresAt: undefined },
    origin: "https://app.example.com",
    purpose: "websocket",
    expiresAt: later(),
    ...fields,
  };
  await stores.tickets.create(ticket);
  return ticket;
}

/** Appends one after another, so that their order is known. */
async function appendAll(stores: StoresUnderTest, room: string, lines: readonly string[]) {
  const { id: senderId } = await createUser(stores);
  const sent = [];
  for (const text of lines) sent.push(await stores.messages.append({ room, senderId, text }));
  return sent;
}

/** Ids of nobody, most of which no database would take for an id. */
const noIds: ReadonlyArray<{ readonly what: string; readonly id: string }> = [
  { what: "a UUID of nobody", id: "00000000-0000-4000-8000-000000000000" },
  { what: "an empty string", id: "" },
  { what: "a number", id: "1" },
  { what: "a word", id: "nobody" },
  { what: "a UUID that is a digit short", id: "00000000-0000-4000-8000-00000000000" },
  { what: "a UUID with a NUL character", id: "00000000-0000-4000-8000-000000000000\0" },
  { what: "SQL", id: "' or true; --" },
  { what: "half a surrogate pair", id: "\ud800" },
  { what: "10,000 digits", id: "9".repeat(10_000) },
];

const texts: readonly string[] = [
  "",
  " \t padded \r\n",
  "Zoë, Ωmega, Жанна, 山田太郎, مرحبا, עברית",
  "👩🏽‍🚀👨‍👩‍👧‍👦🇺🇳",
  "e\u0301 is not \u00e9",
  "\u0001\u001b\u007f\u2028\u2029\ufeff\uffff",
  "'; drop table messages; -- \\ \" $1 %s",
  "x".repeat(65_536),
];
