import { FakeClock } from "@sluice/testing";
import { describe, expect, test, vi } from "vitest";
import { ConfigurationError } from "../errors.js";
import { webDigest } from "../ports/digest.js";
import type { RefreshFamily, RefreshTokenStore } from "../ports/refresh-token-store.js";
import type { SecurityEvent } from "../ports/security-events.js";
import type { UserRecord } from "../ports/user-store.js";
import { RefreshTokens, type RefreshTokensOptions } from "./refresh-tokens.js";

const day = 86_400_000;

const alice: UserRecord = {
  id: "7",
  username: "alice",
  name: "Alice",
  passwordHash: "$argon2id$...",
  isActive: true,
  isSuperuser: false,
  createdAt: 1,
};

/** Keeps families in a map, and counts what it is asked. */
class MemoryFamilies implements RefreshTokenStore {
  readonly families = new Map<string, RefreshFamily>();
  user = alice;
  finds = 0;

  async create(family: RefreshFamily): Promise<void> {
    this.families.set(family.id, family);
  }

  async find(id: string) {
    this.finds += 1;
    const family = this.families.get(id);
    return family && { family, user: this.user };
  }

  async replace(
    id: string,
    current: string,
    next: Pick<RefreshFamily, "current" | "previous" | "lastUsedAt" | "expiresAt">,
  ) {
    const family = this.families.get(id);
    if (family?.current !== current) return false;
    this.families.set(id, { ...family, ...next });
    return true;
  }

  async remove(id: string): Promise<boolean> {
    return this.families.delete(id);
  }

  async listOf(): Promise<readonly RefreshFamily[]> {
    return [...this.families.values()];
  }

  async removeAllOf(): Promise<number> {
    return 0;
  }
}

function setUp(options: Partial<RefreshTokensOptions> = {}) {
  const clock = new FakeClock();
  const store = new MemoryFamilies();
  const onReuse = vi.fn();
  return { clock, store, onReuse, tokens: new RefreshTokens({ store, clock, onReuse, ...options }) };
}

describe("a family", () => {
  test("begins with a token of which the store has digests only", async () => {
    const { tokens, store, clock } = setUp();
    const { token, sessionId, expiresAt } = await tokens.issue("7", { scopes: ["chat:read"] });
    expect(token).toMatch(/^[\w-]{43}[0-9a-f]{64}$/);
    expect(expiresAt).toBe(clock.now() + 14 * day);
    expect([...store.families.values()]).toEqual([
      {
        id: sessionId,
        userId: "7",
        scopes: ["chat:read"],
        createdAt: clock.now(),
        lastUsedAt: clock.now(),
        userAgent: undefined,
        expiresAt,
        current: await webDigest(token.slice(43)),
        previous: undefined,
      },
    ]);
    expect(sessionId).toBe(await webDigest(token.slice(0, 43)));
  });

  test("goes on with another token of the same session, user and scopes", async () => {
    const { tokens, clock } = setUp();
    const first = await tokens.issue("7", { scopes: ["chat:read"] });
    await clock.advance(900_000);
    const second = await tokens.rotate(first.token);
    expect(second).toEqual({
      token: expect.stringMatching(/^[\w-]{43}[0-9a-f]{64}$/),
      sessionId: first.sessionId,
      expiresAt: clock.now() + 14 * day,
      user: { isAuthenticated: true, id: "7", username: "alice", name: "Alice", isSuperuser: false },
      scopes: ["chat:read"],
    });
    const third = await tokens.rotate(second?.token ?? "");
    expect(new Set([first.token, second?.token, third?.token]).size).toBe(3);
    expect(third?.scopes).toEqual(["chat:read"]);
  });

  test("is one record, from which no token can be made, however often it is renewed", async () => {
    const { tokens, store } = setUp();
    let { token } = await tokens.issue("7");
    for (let count = 0; count < 5; count += 1) token = (await tokens.rotate(token))?.token ?? "";
    expect(store.families.size).toBe(1);
    expect([...store.families.values()]).toEqual([
      expect.objectContaining({ current: await webDigest(token.slice(43)), previous: undefined }),
    ]);
  });

  test("ends after 14 days of rest", async () => {
    const { tokens, clock } = setUp();
    const { token } = await tokens.issue("7");
    await clock.advance(14 * day - 1);
    const next = await tokens.rotate(token);
    expect(next).toBeDefined();
    await clock.advance(14 * day);
    expect(await tokens.rotate(next?.token ?? "")).toBeUndefined();
  });

  test("ends after 90 days, however much it is used", async () => {
    const { tokens, clock } = setUp();
    const begun = clock.now();
    let { token, expiresAt } = await tokens.issue("7");
    for (let week = 1; week <= 12; week += 1) {
      await clock.advance(7 * day);
      ({ token, expiresAt } = (await tokens.rotate(token)) ?? expect.fail("expected another token"));
    }
    expect(expiresAt).toBe(begun + 90 * day);
    await clock.advance(6 * day);
    expect(await tokens.rotate(token)).toBeUndefined();
  });

  test("ends when the store removes it, also while a token is being exchanged", async () => {
    const { tokens, store, onReuse } = setUp();
    const { token, sessionId } = await tokens.issue("7");
    const replace = vi.spyOn(store, "replace").mockImplementationOnce(async () => {
      store.families.delete(sessionId);
      return false;
    });
    expect(await tokens.rotate(token)).toBeUndefined();
    expect(replace).toHaveBeenCalledTimes(1);
    expect(onReuse).not.toHaveBeenCalled();
  });

  test("rests while its user is not active", async () => {
    const { tokens, store } = setUp();
    const { token } = await tokens.issue("7");
    store.user = { ...alice, isActive: false };
    expect(await tokens.rotate(token)).toBeUndefined();
    store.user = alice;
    expect(await tokens.rotate(token)).toBeDefined();
  });
});

describe("a token that was used before", () => {
  test.each([1, 3])("ends its family, also %d uses later", async (uses) => {
    const { tokens, store, onReuse } = setUp();
    const { token: stolen, sessionId } = await tokens.issue("7");
    let token = stolen;
    for (let count = 0; count < uses; count += 1) token = (await tokens.rotate(token))?.token ?? "";
    const { sessionId: other } = await tokens.issue("7");
    expect(await tokens.rotate(stolen)).toBeUndefined();
    expect(onReuse.mock.calls).toEqual([[{ sessionId, userId: "7" }]]);
    expect(await tokens.rotate(token)).toBeUndefined();
    expect([...store.families.keys()]).toEqual([other]);
    expect(onReuse).toHaveBeenCalledTimes(1);
  });

  test("is not told of where the family has ended anyway", async () => {
    const { tokens, clock, onReuse } = setUp();
    const { token } = await tokens.issue("7");
    await tokens.rotate(token);
    await clock.advance(14 * day);
    expect(await tokens.rotate(token)).toBeUndefined();
    expect(onReuse).not.toHaveBeenCalled();
  });

  test("makes its exchange reject where nobody can be told, when its family has ended", async () => {
    const { tokens, store, onReuse } = setUp();
    const { token } = await tokens.issue("7");
    await tokens.rotate(token);
    onReuse.mockRejectedValue(new Error("down"));
    await expect(tokens.rotate(token)).rejects.toThrow("down");
    expect(store.families.size).toBe(0);
  });

  test("is given the same answer within the grace, and ends its family after it", async () => {
    const { tokens, clock, onReuse } = setUp({ grace: 10_000 });
    const { token } = await tokens.issue("7");
    const next = await tokens.rotate(token);
    await clock.advance(9_999);
    expect(await tokens.rotate(token)).toEqual(next);
    await clock.advance(1);
    expect(await tokens.rotate(token)).toBeUndefined();
    expect(onReuse).toHaveBeenCalledTimes(1);
    expect(await tokens.rotate(next?.token ?? "")).toBeUndefined();
  });

  test("ends its family within the grace when the next one has been used", async () => {
    const { tokens, onReuse } = setUp({ grace: 10_000 });
    const { token } = await tokens.issue("7");
    const next = await tokens.rotate(token);
    expect(await tokens.rotate(next?.token ?? "")).toBeDefined();
    expect(await tokens.rotate(token)).toBeUndefined();
    expect(onReuse).toHaveBeenCalledTimes(1);
  });
});

describe("what is no token", () => {
  test("costs no look-up where it is malformed", async () => {
    const { tokens, store } = setUp();
    const { token } = await tokens.issue("7");
    for (const malformed of ["", "x", token.slice(1), `${token}0`, `${token}\n`, ` ${token}`, token.toUpperCase()]) {
      expect(await tokens.rotate(malformed), malformed).toBeUndefined();
    }
    expect(store.finds).toBe(0);
  });

  test("ends nothing where it only looks like one, or knows the session's id", async () => {
    const { tokens, onReuse } = setUp();
    const { token, sessionId } = await tokens.issue("7");
    for (const family of ["a".repeat(43), sessionId.slice(0, 43), sessionId.slice(21)]) {
      expect(await tokens.rotate(family + "0".repeat(64))).toBeUndefined();
    }
    expect(onReuse).not.toHaveBeenCalled();
    expect(await tokens.rotate(token)).toBeDefined();
  });
});

test.each<Partial<RefreshTokensOptions>>([
  { idleLifetime: 0 },
  { idleLifetime: 1.5e12 + 0.5 },
  { absoluteLifetime: Number.POSITIVE_INFINITY },
  { absoluteLifetime: Number.NaN },
  { grace: -1 },
  { grace: 60_001 },
])("refuses %j", (options) => {
  expect(() => setUp(options)).toThrow(ConfigurationError);
});

describe("security events", () => {
  test("tell of a rotation, of a token that is no good, and once of one that was used", async () => {
    const events: SecurityEvent[] = [];
    const { tokens, onReuse } = setUp({ onSecurityEvent: (event) => void events.push(event) });
    onReuse.mockImplementation(() => expect(events.at(-1)?.type).toBe("reuse"));
    const { token, sessionId } = await tokens.issue("7");
    const use = { client: { host: "192.0.2.1", port: 4711 } };
    await tokens.rotate(token, use);
    for (let time = 0; time < 2; time++) expect(await tokens.rotate(token, use)).toBeUndefined();
    await tokens.rotate("none at all");
    const carrier = "refresh token";
    expect(events).toEqual([
      { type: "renewal", userId: "7", sessionId, carrier, client: "192.0.2.1" },
      { type: "reuse", userId: "7", sessionId, carrier, client: "192.0.2.1" },
      { type: "failure", reason: "invalid_grant", carrier, client: "192.0.2.1" },
      { type: "failure", reason: "invalid_grant", carrier },
    ]);
    expect(onReuse).toHaveBeenCalledOnce();
  });
});
