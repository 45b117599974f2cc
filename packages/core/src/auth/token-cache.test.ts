import { hash } from "node:crypto";
import { FakeClock, MemoryBrokerServer } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { ConfigurationError } from "../errors.js";
import { BrokeredChannelLayer } from "../layers/brokered.js";
import { Leases } from "../leases/leases.js";
import type { Broker } from "../ports/broker.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import { TokenCache, type TokenCacheOptions } from "./token-cache.js";

const start = Date.UTC(2026, 0, 1);
const digest = (text: string): string => hash("sha256", text, "hex");

function grantOf(tokenId: string, more: Partial<Grant> & { userId?: string } = {}): Grant {
  const { userId = "ada", ...rest } = more;
  return { user: { isAuthenticated: true, id: userId, username: userId }, tokenId, expiresAt: undefined, ...rest };
}

/** What all processes ask. It reads at once and answers when it is let, which is at once unless it is held. */
class Store implements TokenVerifier {
  readonly grants = new Map<string, Grant>();
  readonly #clock: FakeClock;
  #held: (() => void)[] | undefined;
  asked = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async verify(token: string): Promise<Grant | undefined> {
    this.asked++;
    const grant = this.grants.get(token);
    const good = grant !== undefined && (grant.expiresAt ?? Number.POSITIVE_INFINITY) > this.#clock.now();
    const held = this.#held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    return good ? grant : undefined;
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    for (const resolve of this.#held ?? []) resolve();
    this.#held = undefined;
  }
}

type Wire = Broker & { lose(): void; gain(): void };

class Process {
  readonly leases: Leases;
  readonly cache: TokenCache<Grant["user"]>;
  readonly #wire: Wire;

  constructor(
    server: MemoryBrokerServer,
    clock: FakeClock,
    store: Store,
    options: Partial<TokenCacheOptions<Grant["user"]>>,
  ) {
    this.#wire = server.broker() as Wire;
    this.leases = new Leases({ layer: new BrokeredChannelLayer(this.#wire, { clock }), clock });
    this.cache = new TokenCache({ verifier: store, leases: this.leases, digest, ...options });
  }

  verify(token: string): Promise<Grant | undefined> {
    return Promise.resolve(this.cache.verify(token));
  }

  cut(): void {
    this.#wire.lose();
  }

  mend(): void {
    this.#wire.gain();
  }
}

async function world(options: Partial<TokenCacheOptions<Grant["user"]>> = {}) {
  const clock = new FakeClock(start);
  const server = new MemoryBrokerServer(() => clock.now());
  const store = new Store(clock);
  const [one, two] = [0, 1].map(() => new Process(server, clock, store, options)) as [Process, Process];
  // Each is in touch from the first second on.
  for (const process of [one, two]) await process.verify("nobody's");
  // Processes that had not been there yet hear of no revocation.
  for (const process of [one, two]) process.leases.vouchesFor(grantOf("t0"), start);
  await clock.advance(1_000);
  store.asked = 0;
  store.grants.set("token", grantOf("t1", { sessionId: "s1", issuedAt: start }));
  return { clock, server, store, one, two };
}

describe("a good token", () => {
  test("is asked about once, and is the same grant again", async () => {
    const { clock, store, one, two } = await world();
    const grant = await one.verify("token");
    expect(grant).toBe(store.grants.get("token"));
    await clock.advance(9_999);
    expect(await one.verify("token")).toBe(grant);
    expect(store.asked).toBe(1);
    await two.verify("token");
    expect(store.asked).toBe(2);
  });

  test("that is known is answered at once where the digest is", async () => {
    const { one } = await world();
    const grant = await one.verify("token");
    expect(one.cache.verify("token")).toBe(grant);
  });

  test("is asked about again when the answer is too old, however often it is used", async () => {
    const { clock, store, one } = await world({ maxAge: 5_000 });
    for (let second = 0; second < 5; second++) {
      await one.verify("token");
      await clock.advance(1_000);
    }
    expect(store.asked).toBe(1);
    store.grants.delete("token");
    expect(await one.verify("token")).toBeUndefined();
    expect(store.asked).toBe(2);
  });

  test("is good until it expires, and not a millisecond longer", async () => {
    const { clock, store, one } = await world();
    store.grants.set("token", grantOf("t1", { expiresAt: clock.now() + 1_000 }));
    await one.verify("token");
    await clock.advance(999);
    expect(await one.verify("token")).toBeDefined();
    expect(store.asked).toBe(1);
    await clock.advance(1);
    expect(await one.verify("token")).toBeUndefined();
  });

  test("that its verifier takes for longer than it says is asked about each time", async () => {
    const { clock, one } = await world();
    const lenient = vi.fn(async () => grantOf("t1", { expiresAt: clock.now() }));
    const cache = new TokenCache({ verifier: { verify: lenient }, leases: one.leases, digest });
    expect(await cache.verify("token")).toBeDefined();
    expect(await cache.verify("token")).toBeDefined();
    expect(lenient).toHaveBeenCalledTimes(2);
  });

  test("is known by a verifier that answers at once, too", async () => {
    const { one } = await world();
    const verify = vi.fn((token: string) => (token === "token" ? grantOf("t1") : undefined));
    const cache = new TokenCache({ verifier: { verify }, leases: one.leases, digest });
    expect([cache.verify("token"), cache.verify("token")]).toEqual([grantOf("t1"), grantOf("t1")]);
    expect(verify).toHaveBeenCalledTimes(1);
    expect([cache.verify("other"), cache.verify("other")]).toEqual([undefined, undefined]);
    expect(verify).toHaveBeenCalledTimes(3);
  });

  test("is asked about once by many who come at the same time", async () => {
    const { store, one } = await world();
    store.hold();
    const all = Array.from({ length: 100 }, () => one.verify("token"));
    expect(store.asked).toBe(1);
    store.release();
    expect(new Set(await Promise.all(all))).toEqual(new Set([store.grants.get("token")]));
    expect(store.asked).toBe(1);
  });

  test("is asked about anew by who comes long after a question that hangs", async () => {
    const { clock, store, one } = await world();
    store.hold();
    const early = one.verify("token");
    await clock.advance(9_999);
    void one.verify("token");
    expect(store.asked).toBe(1);
    await clock.advance(1);
    const late = one.verify("token");
    expect(store.asked).toBe(2);
    store.release();
    expect(await Promise.all([early, late])).toEqual([store.grants.get("token"), store.grants.get("token")]);
    expect(await one.verify("token")).toBe(store.grants.get("token"));
    expect(one.cache.size).toBe(1);
  });

  test("is known by its digest, which WebCrypto makes where nothing else does", async () => {
    const { store, one } = await world({ digest: undefined });
    const webDigest = vi.spyOn(crypto.subtle, "digest");
    await one.verify("token");
    await one.verify("token");
    expect(store.asked).toBe(1);
    expect(webDigest).toHaveBeenCalledTimes(2);
    webDigest.mockRestore();
  });

  test("is asked about while the clock is before the answer", async () => {
    const { clock, store, one } = await world();
    await one.verify("token");
    await clock.advance(-10);
    await one.verify("token");
    expect(store.asked).toBe(2);
  });
});

describe("what is not kept:", () => {
  test("a refusal, as the token may have been issued meanwhile", async () => {
    const { store, one } = await world();
    store.hold();
    const early = one.verify("new");
    store.grants.set("new", grantOf("t2"));
    const late = one.verify("new");
    store.release();
    expect(await early).toBeUndefined();
    expect(await late).toBeDefined();
  });

  test("a failure, which is that of all who wait for the answer", async () => {
    const { store, one } = await world();
    const verify = vi.spyOn(store, "verify").mockRejectedValueOnce(new Error("down"));
    const both = await Promise.allSettled([one.verify("token"), one.verify("token")]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(verify).toHaveBeenCalledTimes(1);
    expect(await one.verify("token")).toBeDefined();
  });

  test("more than there may be: what was asked about first goes first", async () => {
    const { store, one } = await world({ maxSize: 2 });
    for (const token of ["a", "b", "c"]) {
      store.grants.set(token, grantOf(token));
      await one.verify(token);
    }
    expect([one.cache.size, store.asked]).toEqual([2, 3]);
    await one.verify("b");
    await one.verify("c");
    expect(store.asked).toBe(3);
    await one.verify("a");
    expect([one.cache.size, store.asked]).toEqual([2, 4]);
  });

  test("what is too old, once another comes", async () => {
    const { clock, store, one } = await world();
    for (const token of ["a", "b"]) {
      store.grants.set(token, grantOf(token));
      await one.verify(token);
    }
    await clock.advance(10_000);
    expect(one.cache.size).toBe(2);
    await one.verify("token");
    expect(one.cache.size).toBe(1);
  });
});

describe("a revocation", () => {
  test.each<[string, (leases: Leases) => Promise<void>]>([
    ["of the token", (leases) => leases.revokeToken("t1")],
    ["of its session", (leases) => leases.revokeSession("s1")],
    ["of its user", (leases) => leases.revokeUser("ada")],
    ["of their old tokens", (leases) => leases.revokeIssuedBefore("ada", start + 1)],
  ])("%s makes every process forget it, and no other", async (_, revoke) => {
    const { clock, store, one, two } = await world();
    store.grants.set("bob's", grantOf("t2", { userId: "bob", sessionId: "s2", issuedAt: start }));
    for (const process of [one, two]) for (const token of ["token", "bob's"]) await process.verify(token);
    expect(store.asked).toBe(4);
    store.grants.delete("token");
    const revoked = revoke(one.leases);
    // In this process before the call has come back.
    expect(await one.verify("token")).toBeUndefined();
    await revoked;
    await clock.advance(0);
    expect(await two.verify("token")).toBeUndefined();
    expect(store.asked).toBe(6);
    for (const process of [one, two]) await process.verify("bob's");
    expect(store.asked).toBe(6);
  });

  test("of a user spares who has logged in again", async () => {
    const { clock, store, one } = await world();
    await one.leases.revokeUser("ada");
    await clock.advance(1);
    store.grants.set("again", grantOf("t3"));
    expect(await one.verify("again")).toBeDefined();
    expect(await one.verify("again")).toBeDefined();
    expect(store.asked).toBe(1);
  });

  test.each(["here", "elsewhere"])("made %s overtakes a verification that is under way", async (where) => {
    const { clock, store, one, two } = await world();
    store.hold();
    const before = one.verify("token");
    // The store has read that it is good, forgets it, and then the processes are told.
    store.grants.delete("token");
    await (where === "here" ? one : two).leases.revokeUser("ada");
    await clock.advance(1);
    const after = one.verify("token");
    store.release();
    // It began before; a lease would end at once.
    expect(await before).toBeDefined();
    expect(await after).toBeUndefined();
    expect(await one.verify("token")).toBeUndefined();
    expect(one.cache.size).toBe(0);
  });

  test("is remembered for as long as an answer may be old", async () => {
    const { clock, store, one } = await world({ maxAge: 60_000 });
    await one.verify("token");
    store.grants.delete("token");
    await one.leases.revokeToken("t1");
    await clock.advance(59_999);
    expect(await one.verify("token")).toBeUndefined();
  });
});

describe("a process that is cut off", () => {
  test("asks about every token, and about those it knew when it is back", async () => {
    const { clock, store, one, two } = await world({ maxAge: 60_000 });
    await two.verify("token");
    two.cut();
    // Its next beat tells it.
    await clock.advance(5_000);
    for (let each = 1; each <= 3; each++) {
      await two.verify("token");
      expect(store.asked).toBe(1 + each);
    }
    store.grants.delete("token");
    await one.leases.revokeToken("t1");
    expect(await two.verify("token")).toBeUndefined();

    two.mend();
    await clock.advance(6_000);
    expect(await two.verify("token")).toBeUndefined();
    store.grants.set("other", grantOf("t2"));
    store.asked = 0;
    for (let each = 0; each < 3; each++) await two.verify("other");
    expect(store.asked).toBe(1);
  });

  test("does not trust what it has found out just before and meanwhile", async () => {
    const { clock, store, one, two } = await world({ maxAge: 60_000 });
    store.grants.set("other", grantOf("t2"));
    await two.verify("token");
    two.cut();
    await two.verify("other");
    store.grants.clear();
    // Nobody tells it of these.
    await one.leases.revokeToken("t1");
    await one.leases.revokeToken("t2");
    two.mend();
    await clock.advance(6_000);
    expect(await two.verify("token")).toBeUndefined();
    expect(await two.verify("other")).toBeUndefined();
  });

  test("is one that has never been in touch", async () => {
    const clock = new FakeClock(start);
    const server = new MemoryBrokerServer(() => clock.now());
    server.stop();
    const store = new Store(clock);
    store.grants.set("token", grantOf("t1"));
    const one = new Process(server, clock, store, {});
    for (let each = 0; each < 3; each++) {
      await one.verify("token");
      await clock.advance(1);
    }
    expect([store.asked, one.cache.size]).toEqual([3, 0]);
  });

  test("is one whose leases are closed", async () => {
    const { store, one } = await world();
    await one.verify("token");
    await one.leases.close();
    await one.verify("token");
    await one.verify("token");
    expect([store.asked, one.cache.size]).toEqual([3, 0]);
  });
});

test.each([{ maxAge: 0 }, { maxAge: 60_001 }, { maxAge: 1.5 }, { maxSize: 0 }, { maxSize: Number.NaN }])(
  "%j is refused",
  async (options) => {
    await expect(world(options)).rejects.toThrow(ConfigurationError);
  },
);

test("whatever happens in whatever order, no revoked and no expired token gets in, and every other does", async () => {
  const token = fc.integer({ min: 0, max: 2 });
  const process = fc.integer({ min: 0, max: 1 });
  const step = fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("issue" as const),
        token,
        lifetime: fc.constantFrom(undefined, 1, 40, 3_000),
      }),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("verify" as const), token, process }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom("revoke" as const, "revokeUser" as const), token, process }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.constantFrom(0, 1, 2, 39, 40, 2_000, 6_000) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("hold" as const, "release" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("outage" as const) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const { clock, store, one, two } = await world({ maxAge: 60_000, maxSize: 2 });
      store.grants.clear();
      const processes = [one, two] as const;
      /** The token that each number stands for now, and how many there have been. */
      const current = new Map<number, string>();
      let issued = 0;
      const issue = (token: number, lifetime?: number): void => {
        const name = `token ${++issued}`;
        const expiresAt = lifetime === undefined ? undefined : clock.now() + lifetime;
        const more = { userId: `user ${token % 2}`, expiresAt, issuedAt: clock.now() };
        store.grants.set(name, grantOf(`id ${issued}`, more));
        current.set(token, name);
      };
      for (const each of [0, 1, 2]) issue(each);
      const verifications: Promise<void>[] = [];
      const expectVerified = async (token: string, process: Process): Promise<void> => {
        const grant = store.grants.get(token);
        const isGood = grant !== undefined && (grant.expiresAt ?? Number.POSITIVE_INFINITY) > clock.now();
        const verified = await process.verify(token);
        // What goes bad while it is verified may be either.
        if (!isGood) expect(verified).toBeUndefined();
        else if (store.grants.get(token) === grant && (grant.expiresAt ?? Number.POSITIVE_INFINITY) > clock.now()) {
          expect(verified).toBe(grant);
        }
        expect(process.cache.size).toBeLessThanOrEqual(2);
      };
      for (const each of steps) {
        switch (each.do) {
          case "issue":
            issue(each.token, each.lifetime);
            break;
          case "verify":
            verifications.push(expectVerified(current.get(each.token) ?? "none", processes[each.process as 0 | 1]));
            break;
          case "revoke":
          case "revokeUser": {
            const { leases } = processes[each.process as 0 | 1];
            const name = current.get(each.token) ?? "none";
            const grant = store.grants.get(name);
            if (grant === undefined) break;
            const { user, tokenId } = grant;
            for (const [other, { user: owner }] of store.grants) {
              if (other === name || (each.do === "revokeUser" && owner.id === user.id)) store.grants.delete(other);
            }
            await (each.do === "revoke" ? leases.revokeToken(tokenId) : leases.revokeUser(user.id));
            // As long as it takes to get to the other process.
            await clock.advance(0);
            break;
          }
          case "advance":
            await clock.advance(each.ms);
            break;
          case "hold":
            store.hold();
            break;
          case "release":
            store.release();
            break;
          case "outage":
            for (const each of processes) each.cut();
            // Until the next beat tells.
            await clock.advance(5_000);
            for (const each of processes) each.mend();
            await clock.advance(5_000);
        }
      }
      store.release();
      await Promise.all(verifications);
      for (const { leases } of processes) await leases.close();
    }),
    { numRuns: 150 },
  );
});
