import { hash } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Clock } from "../ports/clock.js";
import { silentLogger } from "../ports/logger.js";
import type { FoundToken, TokenRecord, TokenStore } from "../ports/token-store.js";
import type { UserRecord } from "../ports/user-store.js";
import { OpaqueTokens } from "./opaque-tokens.js";
import { randomToken } from "./random-token.js";

const alice: UserRecord = {
  id: "7",
  username: "alice",
  name: "Alice",
  passwordHash: "$argon2id$...",
  isActive: true,
  isSuperuser: true,
  createdAt: 1,
};

/** Keeps tokens in a map, and notes what it is asked. */
class MemoryTokens implements TokenStore {
  readonly records = new Map<string, TokenRecord>();
  user = alice;
  /** The digests of each look-up, and of each touch. */
  readonly finds: (readonly string[])[] = [];
  readonly touches: (readonly string[])[] = [];

  async create(token: Omit<TokenRecord, "lastUsedAt">): Promise<void> {
    this.records.set(token.digest, { ...token, lastUsedAt: undefined });
  }

  async find(digest: string): Promise<FoundToken | undefined> {
    return (await this.findAll([digest]))[0];
  }

  async findAll(digests: readonly string[]): Promise<readonly FoundToken[]> {
    this.finds.push(digests);
    return digests.flatMap((digest) => {
      const token = this.records.get(digest);
      return token === undefined ? [] : [{ token, user: this.user }];
    });
  }

  async touch(digests: readonly string[], lastUsedAt: number): Promise<void> {
    this.touches.push(digests);
    for (const digest of digests) {
      const token = this.records.get(digest);
      if (token) this.records.set(digest, { ...token, lastUsedAt });
    }
  }

  async remove(digest: string): Promise<boolean> {
    return this.records.delete(digest);
  }

  async listOf(): Promise<readonly TokenRecord[]> {
    return [...this.records.values()];
  }

  async removeAllOf(): Promise<number> {
    return 0;
  }
}

function setUp() {
  const time = { now: 1_700_000_000_000 };
  const clock: Clock = { now: () => time.now, after: () => () => {} };
  const store = new MemoryTokens();
  const logger = { ...silentLogger, warn: vi.fn() };
  return { time, store, logger, tokens: new OpaqueTokens({ store, clock, logger }) };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("issuing", () => {
  test("keeps the digest of a token and not the token", async () => {
    const { tokens, store, time } = setUp();
    const { token, digest } = await tokens.issue("7", { expiresAt: time.now + 1 });
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(digest).toBe(await sha256(token));
    expect([...store.records.values()]).toEqual([
      { digest, userId: "7", createdAt: time.now, expiresAt: time.now + 1, lastUsedAt: undefined },
    ]);
  });

  test("spells each of 256 bits in base64url", async () => {
    const { tokens } = setUp();
    vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => {
      if (array instanceof Uint8Array) array.fill(0xfb);
      return array;
    });
    expect((await tokens.issue("7")).token).toBe("-_v7".repeat(10).concat("-_s"));
  });

  test("makes no token twice", async () => {
    const { tokens } = setUp();
    const issued = await Promise.all(Array.from({ length: 100 }, () => tokens.issue("7")));
    expect(new Set(issued.map(({ token }) => token)).size).toBe(100);
  });
});

describe("verifying", () => {
  test("tells who holds a token, without what is secret", async () => {
    const { tokens, time } = setUp();
    const issuedAt = time.now;
    const { token, digest } = await tokens.issue("7");
    time.now += 1000;
    expect(await tokens.verify(token)).toEqual({
      user: { isAuthenticated: true, id: "7", username: "alice", name: "Alice", isSuperuser: true },
      tokenId: digest,
      expiresAt: undefined,
      issuedAt,
    });
  });

  test("is over when the token expires", async () => {
    const { tokens, time } = setUp();
    const expiresAt = time.now + 1000;
    const { token } = await tokens.issue("7", { expiresAt });
    time.now = expiresAt - 1;
    expect(await tokens.verify(token)).toMatchObject({ expiresAt });
    time.now = expiresAt;
    expect(await tokens.verify(token)).toBeUndefined();
  });

  test("refuses the token of a user who is not active", async () => {
    const { tokens, store } = setUp();
    const { token } = await tokens.issue("7");
    store.user = { ...alice, isActive: false };
    expect(await tokens.verify(token)).toBeUndefined();
    expect(store.touches).toEqual([]);
  });

  test("refuses a token that was revoked", async () => {
    const { tokens } = setUp();
    const { token } = await tokens.issue("7");
    expect(await tokens.revoke(token)).toBe(true);
    expect(await tokens.verify(token)).toBeUndefined();
    expect(await tokens.revoke(token)).toBe(false);
  });

  test.each(["", "short", "a".repeat(42), "a".repeat(44), `${"a".repeat(42)}=`, `${"a".repeat(42)}\n`, "ä".repeat(43)])(
    "spends neither a digest nor a look-up on %j",
    async (malformed) => {
      const { tokens, store } = setUp();
      const digest = vi.spyOn(crypto.subtle, "digest");
      expect(tokens.verify(malformed)).toBeUndefined();
      expect(await tokens.revoke(malformed)).toBe(false);
      expect(store.finds).toEqual([]);
      expect(digest).not.toHaveBeenCalled();
    },
  );

  test("rejects when the store cannot be asked", async () => {
    const { tokens, store } = setUp();
    const { token } = await tokens.issue("7");
    vi.spyOn(store, "findAll").mockRejectedValue(new Error("down"));
    await expect(tokens.verify(token)).rejects.toThrow("down");
  });
});

describe("the last use", () => {
  test("is noted once a minute", async () => {
    const { tokens, store, time } = setUp();
    const { token, digest } = await tokens.issue("7");
    const start = time.now;
    for (const [after, touches] of [
      [0, 1],
      [1, 1],
      [59_999, 1],
      [60_000, 2],
      [119_999, 2],
      [120_000, 3],
    ] as const) {
      time.now = start + after;
      await tokens.verify(token);
      expect(store.touches, `after ${after} ms`).toHaveLength(touches);
    }
    expect(store.records.get(digest)?.lastUsedAt).toBe(start + 120_000);
  });

  test("that cannot be noted is a warning, and tried again", async () => {
    const { tokens, store, logger } = setUp();
    const { token, digest } = await tokens.issue("7");
    const failure = new Error("read only");
    vi.spyOn(store, "touch").mockRejectedValueOnce(failure);
    expect(await tokens.verify(token)).toBeDefined();
    await expect.poll(() => logger.warn).toHaveBeenCalled();
    expect(logger.warn).toHaveBeenCalledWith({ err: failure, tokens: 1 }, expect.any(String));
    expect(JSON.stringify(logger.warn.mock.calls)).not.toContain(token);

    await tokens.verify(token);
    expect(store.records.get(digest)?.lastUsedAt).toBeDefined();
  });

  test("does not hold a verification up while it is noted, and is not noted by others meanwhile", async () => {
    const { tokens, store } = setUp();
    const { token } = await tokens.issue("7");
    const touch = vi.spyOn(store, "touch").mockReturnValue(new Promise(() => {}));
    expect(await tokens.verify(token)).toBeDefined();
    expect(await tokens.verify(token)).toBeDefined();
    expect(touch).toHaveBeenCalledTimes(1);
  });
});

describe("tokens that come at once", () => {
  async function issued(count: number) {
    const all = setUp();
    const tokens = await Promise.all(Array.from({ length: count }, () => all.tokens.issue("7")));
    return {
      ...all,
      issued: tokens,
      verifyAll: () => Promise.all(tokens.map(async ({ token }) => all.tokens.verify(token))),
    };
  }

  test("are looked up together, a thousand at a time, and get what is theirs", async () => {
    const { store, issued: all, verifyAll } = await issued(2_500);
    const grants = await verifyAll();
    expect(grants.map((grant) => grant?.tokenId)).toEqual(all.map(({ digest }) => digest));
    expect(store.finds.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
    expect(new Set(store.finds.flat()).size).toBe(2_500);
    expect(store.touches.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
  });

  test("are looked up once where they are the same, the unknown among them too", async () => {
    const { tokens, store, issued: all } = await issued(2);
    const [one, other] = all.map(({ token }) => token) as [string, string];
    const grants = await Promise.all(
      Array.from({ length: 2_500 }, async (_, at) => tokens.verify(at % 2 ? one : other)),
    );
    expect(grants.every((grant, at) => grant?.tokenId === all[at % 2 ? 0 : 1]?.digest)).toBe(true);
    expect(store.finds).toEqual([[all[1]?.digest, all[0]?.digest]]);

    const unknown = "u".repeat(43);
    expect(await Promise.all([tokens.verify(unknown), tokens.verify(one), tokens.verify(unknown)])).toEqual([
      undefined,
      grants[1],
      undefined,
    ]);
    expect(store.finds).toHaveLength(2);
  });

  test.each([true, false])(
    "are those of connections in one turn, each with its own microtasks (%s)",
    async (immediate) => {
      if (!immediate) vi.stubGlobal("setImmediate", undefined);
      const { store, tokens, issued: all } = await issued(3);
      const verified: Promise<unknown>[] = [];
      await new Promise<void>((resolve) => {
        for (const { token } of all) process.nextTick(() => verified.push(Promise.resolve(tokens.verify(token))));
        setTimeout(resolve);
      });
      expect(await Promise.all(verified)).toEqual(
        all.map(({ digest }) => expect.objectContaining({ tokenId: digest })),
      );
      expect(store.finds).toHaveLength(1);
      vi.unstubAllGlobals();
    },
  );

  test("do not wait for those before them", async () => {
    const { store, tokens, issued: all } = await issued(2);
    const findAll = vi.spyOn(store, "findAll");
    findAll.mockReturnValueOnce(new Promise(() => {}));
    const [stuck, free] = all.map(({ token }) => token) as [string, string];
    void tokens.verify(stuck);
    await expect.poll(() => findAll).toHaveBeenCalledTimes(1);
    expect(await tokens.verify(free)).toBeDefined();
  });

  test("fail with their own look-up, and no other", async () => {
    const { store, tokens, issued: all, verifyAll } = await issued(1_001);
    vi.spyOn(store, "findAll").mockRejectedValueOnce(new Error("down"));
    const settled = await Promise.allSettled(all.map(async ({ token }) => tokens.verify(token)));
    expect(settled.filter(({ status }) => status === "rejected")).toHaveLength(1_000);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await verifyAll()).every((grant) => grant !== undefined)).toBe(true);
  });

  test("fail alone where their digest cannot be made", async () => {
    const { store } = setUp();
    const [good, bad] = [randomToken(), randomToken()];
    const digest = async (text: string) => {
      if (text === bad) throw new Error("no digest");
      return sha256(text);
    };
    const tokens = new OpaqueTokens({ store, clock: { now: () => 1, after: () => () => {} }, digest });
    const findAll = vi.spyOn(store, "findAll");
    const settled = await Promise.allSettled([tokens.verify(bad), tokens.verify(good)]);
    expect(settled).toEqual([
      { status: "rejected", reason: new Error("no digest") },
      { status: "fulfilled", value: undefined },
    ]);
    expect(findAll.mock.calls).toEqual([[[await sha256(good)]]]);
  });

  test("are looked up after they have come: what is revoked before is not good", async () => {
    const { tokens, issued: all } = await issued(1);
    const { token } = all[0] as { token: string };
    const verified = tokens.verify(token);
    await tokens.revoke(token);
    const after = tokens.verify(token);
    await verified;
    expect(await after).toBeUndefined();
  });
});

test("makes digests by what it is given, which may answer at once", async () => {
  const { store } = setUp();
  const digest = vi.fn((text: string) => hash("sha256", text, "hex"));
  const webDigest = vi.spyOn(crypto.subtle, "digest");
  const tokens = new OpaqueTokens({ store, clock: { now: () => 1, after: () => () => {} }, digest });
  const issued = await tokens.issue("7");
  expect(await tokens.verify(issued.token)).toMatchObject({ tokenId: issued.digest });
  expect(await tokens.revoke(issued.token)).toBe(true);
  expect(webDigest).not.toHaveBeenCalled();
  expect(issued.digest).toBe(await sha256(issued.token));
});

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Buffer.from(digest).toString("hex");
}
