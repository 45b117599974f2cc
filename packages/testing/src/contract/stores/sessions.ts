import type { SessionRecord } from "@sluice/core";
import { expect, test } from "vitest";
import { sessionStoreContract } from "../session-store-contract.js";
import { createUser, noIds, unique } from "./fixtures.js";
import type { StoresUnderTest } from "./stores-under-test.js";

export function sessionsContract(stores: () => StoresUnderTest): void {
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
