import { availableParallelism } from "node:os";
import { ConfigurationError } from "@sluice/core";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { Argon2Hasher, type Argon2HasherOptions } from "./argon2-hasher.js";

/** Cheap, for tests of anything but the cost. */
const cheap: Argon2HasherOptions = { memory: 64, passes: 1 };

/** From the test suite of the reference implementation (P-H-C/phc-winner-argon2, src/test.c). */
const published = [
  ["password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
  ["password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"],
  ["password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"],
  ["password", "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg"],
  ["password", "$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$kCXUjmjvc5XMqQedpMTsOv+zyJEf5PhtGiUghW9jFyw"],
  ["differentpassword", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"],
  ["password", "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw"],
] as const;

describe("published hashes", () => {
  test.each(published)("of %s verifies: %s", async (password, hash) => {
    const hasher = new Argon2Hasher();
    expect(await hasher.verify(hash, password)).toBe(true);
    expect(await hasher.verify(hash, `${password}x`)).toBe(false);
    expect(await hasher.verify(hash, "")).toBe(false);
  });
});

describe("hashing", () => {
  test("makes a PHC string with the cost that is asked for today", async () => {
    const hash = await new Argon2Hasher().hash("correct horse");
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await new Argon2Hasher({ memory: 128, passes: 3, parallelism: 2 }).hash("x")).toContain("$m=128,t=3,p=2$");
  });

  test("salts each hash anew", async () => {
    const hasher = new Argon2Hasher(cheap);
    expect(await hasher.hash("same")).not.toBe(await hasher.hash("same"));
  });

  test.each(["", " ", "пароль 🔑", "nul\0inside", "e\u0301", "x".repeat(100_000)])(
    "keeps every character of a password",
    async (password) => {
      const hasher = new Argon2Hasher(cheap);
      const hash = await hasher.hash(password);
      expect(await hasher.verify(hash, password)).toBe(true);
      expect(await hasher.verify(hash, `${password} `)).toBe(false);
    },
  );
});

const notHashes = [
  ["nothing", ""],
  ["a word", "garbage"],
  ["a password", "password"],
  ["bcrypt", "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"],
  ["PBKDF2 of Django", "pbkdf2_sha256$870000$salt$aGFzaA=="],
  ["argon2i", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"],
  ["no salt and hash", "$argon2id$v=19$m=65536,t=2,p=1"],
  ["an empty hash", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"],
  ["no cost", "$argon2id$v=19$m=0,t=0,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
  ["4 TiB of memory", "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
  ["years of passes", "$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
  ["a NUL character", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4\0"],
  ["half a surrogate pair", "\ud800"],
] as const;

describe("what is no hash of argon2id", () => {
  test.each(notHashes)("%s verifies nothing and is to be replaced", async (_what, hash) => {
    const hasher = new Argon2Hasher(cheap);
    expect(await hasher.verify(hash, "password")).toBe(false);
    expect(hasher.needsRehash(hash)).toBe(true);
  });

  test("a damaged hash verifies nothing and throws nothing", async () => {
    const hasher = new Argon2Hasher(cheap);
    const hash = await hasher.hash("password");
    const damage = fc.record({ at: fc.nat(hash.length - 1), cut: fc.nat(2), insert: fc.string({ maxLength: 2 }) });
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, cut, insert }) => {
        const damaged = hash.slice(0, at) + insert + hash.slice(at + cut);
        expect(await hasher.verify(damaged, "password")).toBe(damaged === hash);
      }),
    );
  });
});

describe("rehashing", () => {
  const hash = new Argon2Hasher({ memory: 128, passes: 2, parallelism: 2 }).hash("x");

  test.each<[boolean, string, Argon2HasherOptions]>([
    [false, "the same cost", { memory: 128, passes: 2, parallelism: 2 }],
    [false, "a lower cost", { memory: 64, passes: 1, parallelism: 1 }],
    [true, "more memory", { memory: 129, passes: 2, parallelism: 2 }],
    [true, "more passes", { memory: 128, passes: 3, parallelism: 2 }],
    [true, "more threads", { memory: 128, passes: 2, parallelism: 3 }],
  ])("is needed (%s) with %s today", async (needed, _what, today) => {
    expect(new Argon2Hasher(today).needsRehash(await hash)).toBe(needed);
  });

  test("is needed after a short salt, a short hash or an early version", () => {
    const hasher = new Argon2Hasher(cheap);
    expect(hasher.needsRehash(published[0][1])).toBe(true);
    expect(hasher.needsRehash("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEg")).toBe(true);
    const early = "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    expect(hasher.needsRehash(early)).toBe(true);
  });
});

describe("at most", () => {
  /** Counts the hashes that are under way in the library, and the most there were at once. */
  async function watched() {
    let running = 0;
    const seen = { most: 0, total: 0 };
    vi.resetModules();
    vi.doMock("@node-rs/argon2", async (importOriginal) => {
      const library = await importOriginal<typeof import("@node-rs/argon2")>();
      const counted =
        <Arguments extends unknown[], Value>(work: (...given: Arguments) => Promise<Value>) =>
        async (...given: Arguments) => {
          running += 1;
          seen.total += 1;
          seen.most = Math.max(seen.most, running);
          return work(...given).finally(() => {
            running -= 1;
          });
        };
      return { ...library, hash: counted(library.hash), verify: counted(library.verify) };
    });
    const { Argon2Hasher: Watched } = await import("./argon2-hasher.js");
    vi.doUnmock("@node-rs/argon2");
    return { Watched, seen };
  }

  test("as many hashes run at once as are asked for, checks among them", async () => {
    const { Watched, seen } = await watched();
    const hasher = new Watched({ ...cheap, concurrency: 3 });
    const known = await hasher.hash("x");
    const work = Array.from({ length: 20 }, (_, index) => (index % 2 ? hasher.hash("x") : hasher.verify(known, "x")));
    await Promise.all(work);
    expect(seen).toEqual({ most: 3, total: 21 });
  });

  test("as many run as the machine has cores, if nothing is asked for", async () => {
    const { Watched, seen } = await watched();
    const hasher = new Watched(cheap);
    await Promise.all(Array.from({ length: 40 }, () => hasher.hash("x")));
    expect(seen.total).toBe(40);
    expect(seen.most).toBeLessThanOrEqual(availableParallelism());
    expect(seen.most).toBeGreaterThanOrEqual(1);
  });
});

describe("settings", () => {
  test.each<Argon2HasherOptions>([
    { memory: 7 },
    { memory: 15, parallelism: 2 },
    { memory: 19_456.5 },
    { memory: 1_048_577 },
    { passes: 0 },
    { passes: 101 },
    { parallelism: 0 },
    { parallelism: 256 },
    { concurrency: 0 },
    { concurrency: Number.NaN },
  ])("refuses %j", (options) => {
    expect(() => new Argon2Hasher(options)).toThrow(ConfigurationError);
  });
});
