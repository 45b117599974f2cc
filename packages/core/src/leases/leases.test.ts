import { FakeClock, RecordingLogger } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { ConfigurationError, LayerUnavailable } from "../errors.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import type { Grant } from "../ports/token-verifier.js";
import type { Held, Lease, LeaseEnd } from "./lease.js";
import { Leases, type LeasesOptions } from "./leases.js";

const start = Date.UTC(2026, 0, 1);
const day = 86_400_000;

function grantOf(tokenId: string, more: Partial<Grant> & { userId?: string } = {}): Grant {
  const { userId = "ada", ...rest } = more;
  return { user: { isAuthenticated: true, id: userId, username: userId }, tokenId, expiresAt: undefined, ...rest };
}

function world(options: Partial<LeasesOptions> = {}) {
  const clock = new FakeClock(start);
  const layer = new InMemoryChannelLayer({ clock });
  const log = new RecordingLogger();
  const leases = new Leases({ layer, clock, logger: log, ...options });
  /** What has ended, by token, with the reason and the milliseconds since the start. */
  const ended: string[] = [];
  const begin = (grant: Grant, since = clock.now()): Lease =>
    leases.begin(grant, since, (reason) => ended.push(`${grant.tokenId} ${reason} ${clock.now() - start}`));
  return { clock, layer, log, leases, ended, begin };
}

describe("a lease", () => {
  test("lasts until the token expires, and not a millisecond longer", async () => {
    const { clock, leases, ended, begin } = world();
    const lease = begin(grantOf("t1", { expiresAt: start + 1_000 }));
    await clock.advance(999);
    expect([leases.size, lease.ended]).toEqual([1, undefined]);
    await clock.advance(1);
    expect(ended).toEqual(["t1 expired 1000"]);
    expect([leases.size, lease.ended]).toEqual([0, "expired"]);
    expect(leases.counts.ended).toMatchObject({ expired: 1, revoked: 0 });
  });

  test("lasts longer by the skew", async () => {
    const { clock, ended, begin } = world({ skew: 5_000 });
    begin(grantOf("t1", { expiresAt: start + 1_000 }));
    begin(grantOf("t2", { expiresAt: start - 4_999 }));
    expect(begin(grantOf("t3", { expiresAt: start - 5_000 })).ended).toBe("expired");
    await clock.advance(10_000);
    expect(ended).toEqual(["t2 expired 1", "t1 expired 6000"]);
  });

  test("on an expired token is over before it has begun, and nobody is told", async () => {
    const { clock, leases, ended, begin } = world();
    const lease = begin(grantOf("t1", { expiresAt: start }));
    expect([lease.ended, leases.size]).toEqual(["expired", 0]);
    lease.release();
    await clock.advance(1_000);
    expect(ended).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test.each([undefined, start + 400 * day, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])(
    "lasts for as long as the token, however long: %s",
    async (expiresAt) => {
      const { clock, leases, ended, begin } = world();
      begin(grantOf("t1", { expiresAt }));
      // The beats alone would look into the schedule often enough.
      await clock.advance(1);
      await clock.advance(60_000);
      expect([leases.size, ended]).toEqual([1, []]);
      await leases.close();
    },
  );

  test("ends once, and not after its release", async () => {
    const { clock, leases, ended, begin } = world();
    const grant = grantOf("t1", { expiresAt: start + 1_000 });
    const released = begin(grant);
    released.release();
    released.release();
    expect(released.ended).toBeUndefined();
    begin(grant);
    await leases.revokeToken("t1");
    await leases.revokeToken("t1");
    await leases.revokeUser("ada");
    await clock.advance(2_000);
    expect(ended).toEqual(["t1 revoked 0"]);
    expect(leases.counts).toMatchObject({ leases: 0, tokens: 0, sessions: 0, users: 0 });
  });

  test("costs no timer of its own", async () => {
    const { clock, leases, ended, begin } = world();
    for (let each = 0; each < 500; each++) {
      begin(grantOf(`t${each}`, { expiresAt: start + ((each * 7_919) % 500) + 1 }));
      expect(clock.pending).toBe(1);
    }
    await clock.advance(250);
    expect([ended.length, clock.pending]).toEqual([250, 1]);
    await clock.advance(250);
    expect([ended.length, leases.size, clock.pending]).toEqual([500, 0, 1]);
    await leases.close();
    expect(clock.pending).toBe(0);
  });

  test("may be released by the end of another one", async () => {
    const { leases, ended, begin } = world();
    const others: Lease[] = [];
    leases.begin(grantOf("t0"), start, () => {
      for (const other of others) other.release();
    });
    others.push(begin(grantOf("t1")));
    await leases.revokeUser("ada");
    expect([ended, leases.size, leases.counts.ended.revoked]).toEqual([[], 0, 1]);
  });

  test("ends although the connection of another one fails to hear of its own", async () => {
    const { log, leases, ended, begin } = world();
    leases.begin(grantOf("t0"), start, () => {
      throw new Error("as asked");
    });
    begin(grantOf("t1"));
    await leases.revokeUser("ada");
    expect(ended).toEqual(["t1 revoked 0"]);
    expect(log.lines).toMatchObject([{ level: "error", fields: { tokenId: "t0", err: new Error("as asked") } }]);
  });
});

describe("revoking", () => {
  const issued = (issuedAt?: number) => (issuedAt === undefined ? {} : { issuedAt });

  test.each<LeaseEnd>(["revoked", "expired", "logged_out", "password_changed", "disabled"])(
    "tells the reason: %s",
    async (reason) => {
      const { leases, ended, begin } = world();
      begin(grantOf("t1"));
      begin(grantOf("t2", { sessionId: "s2" }));
      begin(grantOf("t3", { userId: "bob" }));
      begin(grantOf("t4", { userId: "cyd", issuedAt: start }));
      await leases.revokeToken("t1", reason);
      await leases.revokeSession("s2", reason);
      await leases.revokeUser("bob", reason);
      await leases.revokeIssuedBefore("cyd", start + 1, reason);
      expect(ended).toEqual(["t1", "t2", "t3", "t4"].map((token) => `${token} ${reason} 0`));
      expect(leases.counts.ended[reason]).toBe(4);
    },
  );

  test("concerns what is named and nothing else", async () => {
    const { leases, ended, begin } = world();
    begin(grantOf("x", { sessionId: "y", userId: "z" }));
    begin(grantOf("y", { sessionId: "z", userId: "x" }));
    begin(grantOf("y", { sessionId: "x", userId: "x" }));
    begin(grantOf("other", { userId: "other" }));
    await leases.revokeToken("z");
    await leases.revokeSession("q");
    expect(ended).toEqual([]);
    await leases.revokeSession("z");
    expect(ended).toEqual(["y revoked 0"]);
    await leases.revokeToken("y");
    expect(ended).toHaveLength(2);
    await leases.revokeUser("z");
    expect(ended).toEqual(["y revoked 0", "y revoked 0", "x revoked 0"]);
    expect(leases.size).toBe(1);
  });

  test("of what was issued before a time spares what was issued at it or after", async () => {
    const { clock, leases, ended, begin } = world();
    const time = start + 1_000;
    await clock.advance(1_001);
    begin(grantOf("before", issued(time - 1)));
    begin(grantOf("at", issued(time)));
    begin(grantOf("after", issued(time + 1)));
    begin(grantOf("nobody knows, began before"), time - 1);
    begin(grantOf("nobody knows, began after"), time);
    await leases.revokeIssuedBefore("ada", time);
    expect(ended).toEqual(["before password_changed 1001", "nobody knows, began before password_changed 1001"]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, "now" as unknown as number])("refuses the time %s", async (time) => {
    const { leases, ended, begin } = world();
    begin(grantOf("t1"));
    await expect(leases.revokeIssuedBefore("ada", time)).rejects.toThrow(TypeError);
    await expect(leases.revokeUser("ada", "bored" as LeaseEnd)).rejects.toThrow(TypeError);
    await expect(leases.revokeUser(7 as unknown as string)).rejects.toThrow(TypeError);
    expect(ended).toEqual([]);
  });
});

describe("a token that was verified just before it was revoked", () => {
  test.each<[string, (leases: Leases) => Promise<void>, LeaseEnd]>([
    ["token", (leases) => leases.revokeToken("t1"), "revoked"],
    ["session", (leases) => leases.revokeSession("s1", "logged_out"), "logged_out"],
    ["user", (leases) => leases.revokeUser("ada", "disabled"), "disabled"],
    ["user's old tokens", (leases) => leases.revokeIssuedBefore("ada", start + 2), "password_changed"],
  ])("gets no lease: %s", async (_, revoke, reason) => {
    const { clock, leases, ended, begin } = world();
    const since = clock.now();
    await clock.advance(1);
    await revoke(leases);
    await clock.advance(100);
    const lease = begin(grantOf("t1", { sessionId: "s1" }), since);
    expect([lease.ended, leases.size, ended]).toEqual([reason, 0, []]);
    expect(leases.counts.ended[reason]).toBe(1);
  });

  test("gets none at all, where a token or a session was revoked, and one where a user was", async () => {
    const { clock, leases, begin } = world();
    await leases.revokeToken("t1");
    await leases.revokeSession("s2");
    await leases.revokeUser("bob");
    await leases.revokeIssuedBefore("cyd", start + 1);
    await clock.advance(1);
    expect(begin(grantOf("t1")).ended).toBe("revoked");
    expect(begin(grantOf("t2", { sessionId: "s2" })).ended).toBe("revoked");
    expect(begin(grantOf("t3", { sessionId: "s3", userId: "bob" })).ended).toBeUndefined();
    expect(begin(grantOf("t4", { userId: "cyd" })).ended).toBeUndefined();
    expect(begin(grantOf("t5", { userId: "cyd", issuedAt: start })).ended).toBe("password_changed");
  });

  test("is remembered by the latest of several times", async () => {
    const { leases, begin } = world();
    await leases.revokeIssuedBefore("ada", start + 5);
    await leases.revokeIssuedBefore("ada", start + 1);
    expect(begin(grantOf("t1", { issuedAt: start + 4 })).ended).toBe("password_changed");
    expect(begin(grantOf("t2", { issuedAt: start + 5 })).ended).toBeUndefined();
  });

  test("is remembered for a minute; who took longer is asked about", async () => {
    const verify = vi.fn(async ({ tokenId }: Grant) => tokenId !== "t1");
    const { clock, leases, ended, begin } = world({ verify });
    await leases.revokeToken("t1");
    await clock.advance(59_999);
    expect(begin(grantOf("t1"), start + 1).ended).toBe("revoked");
    await clock.advance(2);
    await leases.revokeToken("other");
    expect(begin(grantOf("t1"), start + 1).ended).toBeUndefined();
    expect(begin(grantOf("t2"), start + 1).ended).toBeUndefined();
    expect(begin(grantOf("t3")).ended).toBeUndefined();
    await clock.advance(0);
    expect(ended).toEqual(["t1 revoked 60001"]);
    expect(verify.mock.calls.map(([{ tokenId }]) => tokenId)).toEqual(["t1", "t2"]);
    expect(leases.counts.inDoubt).toBe(0);
  });
});

describe("a renewed lease", () => {
  /** On `old`, which expires after a second, and then on `new`. */
  function renewed(more: Parameters<typeof grantOf>[1] = {}, options: Partial<LeasesOptions> = {}) {
    const all = world(options);
    const lease = all.begin(grantOf("old", { expiresAt: start + 1_000, sessionId: "s-old" }));
    const fresh = grantOf("new", { expiresAt: start + 5_000, sessionId: "s-new", ...more });
    expect(lease.renew(fresh, all.clock.now())).toBe(true);
    expect(lease).toMatchObject({ grant: fresh, since: start, ended: undefined });
    return { ...all, lease };
  }

  test("ends with the new token, and not with the old one", async () => {
    const { clock, leases, ended, lease } = renewed();
    await clock.advance(4_999);
    expect([leases.size, lease.ended, ended]).toEqual([1, undefined, []]);
    await clock.advance(1);
    expect([leases.size, lease.ended, ended]).toEqual([0, "expired", ["old expired 5000"]]);
  });

  test.each([
    ["later", start + 100_000],
    ["never", undefined],
    ["sooner", start + 500],
  ])("expires when the new token does: %s", async (_, expiresAt) => {
    const { clock, leases, ended } = renewed({ expiresAt });
    await clock.advance((expiresAt ?? start + 100_000) - start - 1);
    expect(ended).toEqual([]);
    await clock.advance(1);
    expect(ended).toHaveLength(expiresAt === undefined ? 0 : 1);
    await leases.close();
    expect(clock.pending).toBe(0);
  });

  test("has nothing to do with the old token and its session any more", async () => {
    const { leases, ended, lease } = renewed();
    expect(leases.leasesOf("ada")).toEqual([{ tokenId: "new", sessionId: "s-new", since: start }]);
    expect(leases.counts).toMatchObject({ leases: 1, tokens: 1, sessions: 1, users: 1 });
    await leases.revokeToken("old");
    await leases.revokeSession("s-old");
    expect([ended, lease.ended]).toEqual([[], undefined]);
    lease.release();
    expect(leases.counts).toMatchObject({ leases: 0, tokens: 0, sessions: 0, users: 0 });
  });

  test.each<[string, (leases: Leases) => Promise<void>, LeaseEnd]>([
    ["token", (leases) => leases.revokeToken("new"), "revoked"],
    ["session", (leases) => leases.revokeSession("s-new", "logged_out"), "logged_out"],
    ["user", (leases) => leases.revokeUser("ada", "disabled"), "disabled"],
    ["user's old tokens", (leases) => leases.revokeIssuedBefore("ada", start + 2), "password_changed"],
  ])("ends when its new %s is revoked", async (_, revoke, reason) => {
    const { leases, ended } = renewed({ issuedAt: start + 1 });
    await revoke(leases);
    expect(ended).toEqual([`old ${reason} 0`]);
    expect(leases.counts).toMatchObject({ leases: 0, tokens: 0, sessions: 0, users: 0 });
  });

  test("outlives what was issued before the new token", async () => {
    const { leases, ended } = renewed({ issuedAt: start + 10 });
    await leases.revokeIssuedBefore("ada", start + 10);
    expect(ended).toEqual([]);
  });

  test.each<[string, (leases: Leases) => Promise<void>]>([
    ["token", (leases) => leases.revokeToken("new")],
    ["session", (leases) => leases.revokeSession("s-new")],
    ["token's elders", (leases) => leases.revokeIssuedBefore("bob", start + 2)],
    ["user", (leases) => leases.revokeUser("bob")],
  ])("is none where the new %s was revoked while it was verified", async (_, revoke) => {
    const { clock, leases, ended, begin } = world();
    const old = grantOf("old", { expiresAt: start + 1_000 });
    const lease = begin(old);
    const since = clock.now();
    await clock.advance(1);
    // Of another user, so that it does not end the old one, too.
    await revoke(leases);
    const fresh = grantOf("new", { userId: "bob", sessionId: "s-new", issuedAt: start });
    expect(lease.renew(fresh, since)).toBe(false);
    expect(lease).toMatchObject({ grant: old, since: start, ended: undefined });
    expect(leases.counts).toMatchObject({ leases: 1, sessions: 0, ended: { revoked: 0 } });
    await clock.advance(999);
    expect(ended).toEqual(["old expired 1000"]);
  });

  test("is none on a token that has expired, but for the skew", async () => {
    const { clock, ended, begin } = world({ skew: 100 });
    const lease = begin(grantOf("old"));
    expect(lease.renew(grantOf("late", { expiresAt: start - 100 }), start)).toBe(false);
    expect(lease.grant.tokenId).toBe("old");
    expect(lease.renew(grantOf("new", { expiresAt: start - 99 }), start)).toBe(true);
    await clock.advance(1);
    expect(ended).toEqual(["old expired 1"]);
  });

  test("is none where the old one is over", async () => {
    const { clock, leases, ended, begin } = world();
    const [expired, released] = [begin(grantOf("t1", { expiresAt: start + 1 })), begin(grantOf("t2"))];
    released.release();
    await clock.advance(1);
    for (const lease of [expired, released]) expect(lease.renew(grantOf("new"), clock.now())).toBe(false);
    expect(expired).toMatchObject({ grant: { tokenId: "t1" }, ended: "expired" });
    expect([ended, leases.counts]).toEqual([["t1 expired 1"], expect.objectContaining({ leases: 0, tokens: 0 })]);
  });

  test("is watched by nobody after the close", async () => {
    const { clock, leases, ended, lease } = renewed();
    await leases.close();
    expect(lease.renew(grantOf("newer", { expiresAt: start }), start)).toBe(true);
    expect(lease.grant.tokenId).toBe("newer");
    await clock.advance(10_000);
    expect([ended, leases.size, clock.pending]).toEqual([[], 0, 0]);
  });

  test("is asked about where the verification took longer than revocations are remembered for", async () => {
    const verify = vi.fn(async ({ tokenId }: Grant) => tokenId === "old");
    const { clock, leases, ended, begin } = world({ verify });
    const lease = begin(grantOf("old"));
    await clock.advance(0);
    verify.mockClear();
    await clock.advance(60_001);
    expect(lease.renew(grantOf("new"), start + 1)).toBe(true);
    await clock.advance(0);
    expect(verify.mock.calls).toEqual([[lease.grant]]);
    expect([ended, leases.counts.inDoubt]).toEqual([["old revoked 60001"], 0]);
  });
});

describe("what a process has", () => {
  test("is told in numbers, and by user", async () => {
    const { clock, leases, begin } = world();
    expect(leases.leasesOf("ada")).toEqual([]);
    begin(grantOf("t1", { sessionId: "s1" }));
    await clock.advance(10);
    begin(grantOf("t2", { sessionId: "s1" }));
    begin(grantOf("t2"));
    const other = begin(grantOf("t3", { userId: "bob" }));
    expect(leases.leasesOf("ada")).toEqual([
      { tokenId: "t1", sessionId: "s1", since: start },
      { tokenId: "t2", sessionId: "s1", since: start + 10 },
      { tokenId: "t2", sessionId: undefined, since: start + 10 },
    ]);
    expect(leases.leasesOf("bob")).toHaveLength(1);
    expect(leases.counts).toMatchObject({ leases: 4, tokens: 3, sessions: 1, users: 2, inDoubt: 0 });
    other.release();
    expect(leases.counts).toMatchObject({ leases: 3, tokens: 2, sessions: 1, users: 1 });
  });

  test("is nothing after a close, at whatever moment", async () => {
    for (let moment = 0; moment < 10; moment++) {
      const { clock, layer, log, leases, ended, begin } = world({ verify: () => new Promise(() => {}) });
      const lease = begin(grantOf("t1", { expiresAt: start + 1_000 }));
      for (let passed = 0; passed < moment; passed++) await Promise.resolve();
      await leases.close();
      await leases.close();
      await clock.advance(100_000);
      expect([leases.size, leases.counts.inDoubt, clock.pending, layer.counts.channels]).toEqual([0, 0, 0, 0]);
      expect([lease.ended, ended, log.lines]).toEqual([undefined, [], []]);
      expect(begin(grantOf("t1", { expiresAt: start })).ended).toBeUndefined();
      expect([leases.size, clock.pending]).toEqual([0, 0]);
      await expect(leases.revokeToken("t1")).rejects.toThrow(LayerUnavailable);
    }
  });

  test("is nothing before the first use", async () => {
    const { clock, layer, leases } = world();
    await clock.advance(60_000);
    expect([clock.pending, layer.counts.channels]).toEqual([0, 0]);
    await leases.revokeToken("t1");
    await clock.advance(0);
    expect([clock.pending, layer.counts.channels]).toEqual([1, 1]);
  });

  test("has limits that make sense", () => {
    const layer = new InMemoryChannelLayer();
    for (const options of [{ skew: -1 }, { skew: Number.NaN }, { failClosedAfter: 999 }, { failClosedAfter: 1e12 }]) {
      expect(() => new Leases({ layer, ...options })).toThrow(ConfigurationError);
    }
    expect(new Leases({ layer }).now()).toBeCloseTo(Date.now(), -3);
  });
});

describe("whatever happens", () => {
  const tokens = ["t0", "t1", "t2", "t3"];
  const users = ["ada", "bob"];
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("begin" as const),
        token: fc.constantFrom(...tokens),
        user: fc.constantFrom(...users),
        session: fc.option(fc.constantFrom("s0", "s1"), { nil: undefined }),
        age: fc.nat(2_000),
        issued: fc.boolean(),
        lasts: fc.option(fc.integer({ min: -500, max: 5_000 }), { nil: undefined }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("renew" as const),
        which: fc.nat(10),
        token: fc.constantFrom(...tokens),
        session: fc.option(fc.constantFrom("s0", "s1"), { nil: undefined }),
        age: fc.nat(2_000),
        issued: fc.boolean(),
        lasts: fc.option(fc.integer({ min: -500, max: 5_000 }), { nil: undefined }),
      }),
    },
    fc.record({ do: fc.constant("release" as const), which: fc.nat(10) }),
    fc.record({ do: fc.constant("token" as const), id: fc.constantFrom(...tokens) }),
    fc.record({ do: fc.constant("session" as const), id: fc.constantFrom("s0", "s1") }),
    fc.record({ do: fc.constant("user" as const), id: fc.constantFrom(...users) }),
    fc.record({ do: fc.constant("before" as const), id: fc.constantFrom(...users), ago: fc.nat(2_000) }),
    { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(2_000) }) },
  );

  /** How a credential is made up. */
  interface Made {
    readonly token: string;
    readonly session: string | undefined;
    readonly age: number;
    readonly issued: boolean;
    readonly lasts: number | undefined;
  }

  interface Expected extends Held {
    readonly lease: Lease;
  }

  test("the leases are those that a list would have", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { clock, leases } = world();
        let model: Expected[] = [];
        const gone = new Set<string>();
        const loggedOut = new Map<string, number>();
        const before = new Map<string, number>();
        const told: [Grant, LeaseEnd][] = [];
        const end = (reason: LeaseEnd, matches: (each: Expected) => boolean): [Grant, LeaseEnd][] => {
          const ending = model.filter(matches);
          model = model.filter((each) => !ending.includes(each));
          return ending.map(({ grant }) => [grant, reason]);
        };
        const issuedAt = ({ grant, since }: Held) => grant.issuedAt ?? since;
        const held = (each: Made, userId: string): Held => {
          const since = clock.now() - each.age;
          const grant = grantOf(each.token, {
            userId,
            sessionId: each.session,
            expiresAt: each.lasts === undefined ? undefined : clock.now() + each.lasts,
            issuedAt: each.issued ? since - 100 : undefined,
          });
          return { grant, since };
        };
        const refused = ({ grant, since }: Held): boolean =>
          (grant.expiresAt !== undefined && grant.expiresAt <= clock.now()) ||
          gone.has(grant.tokenId) ||
          (grant.sessionId !== undefined && gone.has(grant.sessionId)) ||
          since <= (loggedOut.get(grant.user.id) ?? Number.NEGATIVE_INFINITY) ||
          issuedAt({ grant, since }) < (before.get(grant.user.id) ?? Number.NEGATIVE_INFINITY);
        for (const each of steps) {
          told.length = 0;
          let expected: [Grant, LeaseEnd][] = [];
          if (each.do === "begin") {
            const { grant, since } = held(each, each.user);
            const lease: Lease = leases.begin(grant, since, (reason) => told.push([lease.grant, reason]));
            expect(lease.ended !== undefined).toBe(refused({ grant, since }));
            if (lease.ended === undefined) model.push({ lease, grant, since });
          } else if (each.do === "renew") {
            const one = model[each.which];
            if (one === undefined) continue;
            const { grant, since } = held(each, one.grant.user.id);
            expect(one.lease.renew(grant, since)).toBe(!refused({ grant, since }));
            // It stands behind those that came before the renewal.
            if (one.lease.grant === grant)
              model = [...model.filter((other) => other !== one), { ...one, grant, since }];
          } else if (each.do === "release") {
            model.splice(each.which, 1)[0]?.lease.release();
          } else if (each.do === "token") {
            gone.add(each.id);
            expected = end("revoked", ({ grant }) => grant.tokenId === each.id);
            await leases.revokeToken(each.id);
          } else if (each.do === "session") {
            gone.add(each.id);
            expected = end("logged_out", ({ grant }) => grant.sessionId === each.id);
            await leases.revokeSession(each.id, "logged_out");
          } else if (each.do === "user") {
            loggedOut.set(each.id, clock.now());
            expected = end("disabled", ({ grant }) => grant.user.id === each.id);
            await leases.revokeUser(each.id, "disabled");
          } else if (each.do === "before") {
            const time = clock.now() - each.ago;
            before.set(each.id, Math.max(time, before.get(each.id) ?? 0));
            expected = end("password_changed", (one) => one.grant.user.id === each.id && issuedAt(one) < time);
            await leases.revokeIssuedBefore(each.id, time);
          } else {
            await clock.advance(each.ms);
            expected = end("expired", ({ grant }) => (grant.expiresAt ?? Number.POSITIVE_INFINITY) <= clock.now());
          }
          expect(new Set(told)).toEqual(new Set(expected));
          expect(told).toHaveLength(expected.length);
          for (const user of users) {
            expect(leases.leasesOf(user)).toEqual(
              model
                .filter(({ grant }) => grant.user.id === user)
                .map(({ grant, since }) => ({ tokenId: grant.tokenId, sessionId: grant.sessionId, since })),
            );
          }
          const count = (name: (grant: Grant) => string | undefined) =>
            new Set(model.flatMap(({ grant }) => name(grant) ?? [])).size;
          expect(leases.counts).toMatchObject({
            leases: model.length,
            tokens: count(({ tokenId }) => tokenId),
            sessions: count(({ sessionId }) => sessionId),
            users: count(({ user }) => user.id),
          });
          expect(clock.pending).toBeLessThanOrEqual(1);
        }
        for (const { lease } of model) lease.release();
        expect(leases.counts).toMatchObject({ leases: 0, tokens: 0, sessions: 0, users: 0 });
        await leases.close();
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
