import type { SessionRecord, SessionStore } from "@sluice/core";
import { expect, test } from "vitest";

export interface SessionsUnderTest {
  readonly sessions: SessionStore;
  /** The id of a user who is there. */
  createUser(): Promise<string>;
}

/** Tests what `SessionStore` promises, within a group of the caller's. */
export function sessionStoreContract(open: () => SessionsUnderTest): void {
  const create = async (fields: Partial<SessionRecord> = {}): Promise<SessionRecord> => {
    const session = { ...record(), ...fields };
    await open().sessions.create(session);
    return session;
  };

  test("keeps a session and finds it again, of a user or of nobody", async () => {
    const { sessions, createUser } = open();
    for (const userId of [await createUser(), undefined]) {
      const session = await create({ userId });
      expect(await sessions.find(session.digest)).toEqual(session);
    }
  });

  test("keeps what JSON can carry", async () => {
    const { sessions } = open();
    const data = {
      text: "Zoë, 山田, 👩🏽‍🚀, \\u0000, ' \" $1",
      number: -1.5e-7,
      nothing: null,
      nested: { list: [1, [true, {}], []], "": "empty name", constructor: "a name like any other" },
    };
    const { digest } = await create({ data });
    expect((await sessions.find(digest))?.data).toEqual(data);
  });

  test("leaves expiry to the caller", async () => {
    const session = await create({ lastSeenAt: 1, expiresAt: 2 });
    expect(await open().sessions.find(session.digest)).toEqual(session);
  });

  test("refuses a digest that is there already, and keeps the first", async () => {
    const { sessions } = open();
    const session = await create();
    await expect(sessions.create({ ...session, data: { stolen: true } })).rejects.toThrow();
    expect(await sessions.find(session.digest)).toEqual(session);
  });

  test("changes values by name, and no other session", async () => {
    const { sessions } = open();
    const [one, bystander] = [await create({ data: { a: 1, b: { c: 2 }, d: 3 } }), await create({ data: { a: 1 } })];
    expect(await sessions.save(one.digest, { set: { b: [4], e: "é" }, remove: ["a", "no such name", "'; --"] })).toBe(
      true,
    );
    expect(await sessions.find(one.digest)).toEqual({ ...one, data: { b: [4], d: 3, e: "é" } });
    expect(await sessions.save(one.digest, { set: {}, remove: [] })).toBe(true);
    expect((await sessions.find(one.digest))?.data).toEqual({ b: [4], d: 3, e: "é" });
    expect(await sessions.find(bystander.digest)).toEqual(bystander);
  });

  test("loses no change of those that come at the same time", async () => {
    const { sessions } = open();
    const { digest } = await create();
    const names = Array.from({ length: 16 }, (_, index) => `name${index}`);
    await Promise.all(names.map((name) => sessions.save(digest, { set: { [name]: name }, remove: [] })));
    expect((await sessions.find(digest))?.data).toEqual(Object.fromEntries(names.map((name) => [name, name])));
  });

  test("notes when a session was seen last", async () => {
    const { sessions } = open();
    const [session, bystander] = [await create(), await create()];
    await sessions.touch(session.digest, 1_700_000_060_002);
    expect(await sessions.find(session.digest)).toEqual({ ...session, lastSeenAt: 1_700_000_060_002 });
    expect(await sessions.find(bystander.digest)).toEqual(bystander);
  });

  test("removes a session once, and a change does not bring it back", async () => {
    const { sessions } = open();
    const { digest } = await create();
    expect(await sessions.remove(digest)).toBe(true);
    expect(await sessions.remove(digest)).toBe(false);
    expect(await sessions.save(digest, { set: { a: 1 }, remove: [] })).toBe(false);
    await sessions.touch(digest, 1);
    expect(await sessions.find(digest)).toBeUndefined();
  });

  test("replaces a session by another", async () => {
    const { sessions, createUser } = open();
    const [old, session] = [await create(), { ...record(), userId: await createUser() }];
    await sessions.replace(old.digest, session);
    expect(await sessions.find(old.digest)).toBeUndefined();
    expect(await sessions.find(session.digest)).toEqual(session);
  });

  test("replaces one that has gone already", async () => {
    const session = record();
    await open().sessions.replace(unique(), session);
    expect(await open().sessions.find(session.digest)).toEqual(session);
  });

  test("keeps the old session where the new one cannot be kept", async () => {
    const { sessions } = open();
    const [old, taken] = [await create(), await create()];
    await expect(sessions.replace(old.digest, { ...taken, data: { stolen: true } })).rejects.toThrow();
    await expect(sessions.replace(old.digest, old)).rejects.toThrow();
    expect(await sessions.find(old.digest)).toEqual(old);
    expect(await sessions.find(taken.digest)).toEqual(taken);
  });

  test("removes and counts the sessions of one user and no other", async () => {
    const { sessions, createUser } = open();
    const userId = await createUser();
    const theirs = [await create({ userId }), await create({ userId })];
    const others = [await create({ userId: await createUser() }), await create()];
    expect(await sessions.removeAllOf(userId)).toBe(2);
    for (const { digest } of theirs) expect(await sessions.find(digest)).toBeUndefined();
    for (const session of others) expect(await sessions.find(session.digest)).toEqual(session);
    expect(await sessions.removeAllOf(userId)).toBe(0);
    expect(await sessions.removeAllOf("nobody")).toBe(0);
  });

  test("finds, changes and removes nothing under a digest that was never made", async () => {
    const { sessions } = open();
    for (const digest of [unique(), "", "nul\0", "\ud800", "%", "' or true; --", "x".repeat(100_000)]) {
      expect(await sessions.find(digest)).toBeUndefined();
      expect(await sessions.save(digest, { set: {}, remove: [] })).toBe(false);
      expect(await sessions.remove(digest)).toBe(false);
      await expect(sessions.touch(digest, 1)).resolves.toBeUndefined();
    }
  });

  test("keeps a session that expires later while more are created", async () => {
    const { sessions } = open();
    const session = await create();
    for (let count = 0; count < 3; count += 1) await create();
    expect(await sessions.find(session.digest)).toEqual(session);
  });
}

let made = 0;

/** A digest that no other test uses, in this process or another. */
function unique(): string {
  made += 1;
  return `digest-${crypto.randomUUID()}-${made}`;
}

function record(): SessionRecord {
  return {
    digest: unique(),
    userId: undefined,
    data: {},
    createdAt: 1_700_000_000_123,
    lastSeenAt: 1_700_000_000_456,
    expiresAt: 1_701_000_000_789,
  };
}
