import { generateKeyPairSync } from "node:crypto";
import { ConfigurationError, type Grant, type RevocationStore } from "@sluice/core";
import { FakeClock } from "@sluice/testing";
import { tokenVerifierContract } from "@sluice/testing/contract";
import fc from "fast-check";
import { decodeJwt, decodeProtectedHeader, exportJWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";
import { afterEach, describe, expect, test, vi } from "vitest";
import { JwtTokens, type JwtTokensOptions } from "./jwt-tokens.js";

const secret = "an old secret of thirty-two bytes";
const otherSecret = "some other secret of as many bytes";
const hour = 3_600_000;
const alice = { id: "7", username: "alice", name: "Alice Ä" };

class Revocations implements RevocationStore {
  readonly revoked = new Set<string>();
  readonly asked: Grant[] = [];
  #issuedBefore = 0;

  async revoke(tokenId: string): Promise<void> {
    this.revoked.add(tokenId);
  }

  async revokeIssuedBefore(_userId: string, time: number): Promise<void> {
    this.#issuedBefore = time;
  }

  async isRevoked(grant: Grant): Promise<boolean> {
    this.asked.push(grant);
    return this.revoked.has(grant.tokenId) || (grant.issuedAt ?? 0) < this.#issuedBefore;
  }
}

function jwtTokens(options: Partial<JwtTokensOptions> = {}): JwtTokens {
  return new JwtTokens({
    keys: { current: secret },
    issuer: "sluice",
    audience: "chat",
    clock: new FakeClock(),
    ...options,
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

const contractRevocations = new Revocations();
const contractTokens = jwtTokens({ revocations: contractRevocations });

tokenVerifierContract({
  name: "JwtTokens",
  verifier: contractTokens,
  async issue() {
    const { token } = await contractTokens.issue(alice, { expiresIn: hour });
    return { token, user: alice };
  },
  async issueExpired() {
    const clock = new FakeClock(new FakeClock().now() - 2 * hour);
    return (await jwtTokens({ clock }).issue(alice, { expiresIn: hour })).token;
  },
  async issueRevoked() {
    const { token, jti } = await contractTokens.issue(alice, { expiresIn: hour });
    await contractRevocations.revoke(jti);
    return token;
  },
  async issueElsewhere() {
    return (await jwtTokens({ keys: { current: otherSecret } }).issue(alice, { expiresIn: hour })).token;
  },
});

describe("issuing", () => {
  test("puts into a token what a verifier needs and nothing else", async () => {
    const clock = new FakeClock(1_700_000_000_900);
    const { token, issuedAt, expiresAt, jti } = await jwtTokens({ clock }).issue(alice, { expiresIn: hour });
    expect(issuedAt).toBe(1_700_000_000_900);
    expect(expiresAt).toBe(1_700_003_600_000);
    expect(decodeProtectedHeader(token)).toEqual({
      alg: "HS256",
      typ: "at+jwt",
      kid: expect.stringMatching(/^[0-9a-f]{24}$/),
    });
    expect(decodeJwt(token)).toEqual({
      iss: "sluice",
      aud: "chat",
      sub: "7",
      username: "alice",
      name: "Alice Ä",
      jti,
      iat: 1_700_000_000.9,
      exp: 1_700_003_600,
    });
  });

  test("gives a grant that knows the user and the end", async () => {
    const tokens = jwtTokens();
    const { token, expiresAt, jti } = await tokens.issue(alice, { expiresIn: hour });
    expect(await tokens.verify(token)).toEqual({
      user: { isAuthenticated: true, ...alice },
      tokenId: jti,
      expiresAt,
      issuedAt: new FakeClock().now(),
    });
  });

  test("names the session and the scopes, where they are given", async () => {
    const tokens = jwtTokens();
    const options = { expiresIn: hour, sessionId: "s1", scopes: ["chat:read", "chat:write"] };
    const { token } = await tokens.issue(alice, options);
    expect(decodeJwt(token)).toMatchObject({ sid: "s1", scope: "chat:read chat:write" });
    expect(await tokens.verify(token)).toMatchObject({ sessionId: "s1", scopes: options.scopes });
    const { token: without } = await tokens.issue(alice, { expiresIn: hour, scopes: [] });
    expect(await tokens.verify(without)).toMatchObject({ scopes: [] });
  });

  test.each(["", "chat write", 'chat"', "chat\\", "chät"])("refuses the scope %j", async (scope) => {
    await expect(jwtTokens().issue(alice, { expiresIn: hour, scopes: [scope] })).rejects.toThrow(TypeError);
  });

  test.each([1, null, "", {}, []])("does not take %j for a session, a scope or a time", async (value) => {
    const token = await forge({ claims: { sid: value, scope: value === "" ? null : value, iat: undefined } });
    const grant = await jwtTokens().verify(token);
    expect(grant).toBeDefined();
    for (const field of ["sessionId", "scopes", "issuedAt"]) expect(grant).not.toHaveProperty(field);
  });

  test.each([0, 999, -hour, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses to let a token live for %d ms",
    async (expiresIn) => {
      await expect(jwtTokens().issue(alice, { expiresIn })).rejects.toThrow(TypeError);
    },
  );

  test("refuses a name that makes a token too long to be verified", async () => {
    const tokens = jwtTokens();
    const long = { ...alice, name: "x".repeat(5000) };
    expect(await tokens.verify((await tokens.issue(long, { expiresIn: hour })).token)).toBeDefined();
    await expect(tokens.issue({ ...alice, name: "x".repeat(7000) }, { expiresIn: hour })).rejects.toThrow(/8192/);
  });
});

describe("secrets", () => {
  test("of before still verify, and sign no more", async () => {
    const { token } = await jwtTokens().issue(alice, { expiresIn: hour });
    const renewed = jwtTokens({ keys: { current: otherSecret, previous: [secret] } });
    expect(await renewed.verify(token)).toBeDefined();
    const { token: newer } = await renewed.issue(alice, { expiresIn: hour });
    expect(await jwtTokens().verify(newer)).toBeUndefined();
    expect(await jwtTokens({ keys: { current: otherSecret } }).verify(newer)).toBeDefined();
  });

  test("are named alike everywhere, each by its own name", async () => {
    const nameOf = async (current: string | Uint8Array) => {
      const { token } = await jwtTokens({ keys: { current } }).issue(alice, { expiresIn: hour });
      return decodeProtectedHeader(token).kid;
    };
    expect(await nameOf(secret)).toBe(await nameOf(new TextEncoder().encode(secret)));
    expect(await nameOf(secret)).not.toBe(await nameOf(otherSecret));
  });

  test("are imported once, not for each token", async () => {
    const importKey = vi.spyOn(crypto.subtle, "importKey");
    const tokens = jwtTokens({ keys: { current: secret, previous: [otherSecret] } });
    const issued = await Promise.all([1, 2, 3].map(() => tokens.issue(alice, { expiresIn: hour })));
    await Promise.all(issued.map(async ({ token }) => tokens.verify(token)));
    expect(importKey).toHaveBeenCalledTimes(2);
  });

  test("are copied: what happens to the bytes later changes nothing", async () => {
    const current = new TextEncoder().encode(secret);
    const tokens = jwtTokens({ keys: { current } });
    current.fill(0);
    const { token } = await tokens.issue(alice, { expiresIn: hour });
    expect(await jwtTokens().verify(token)).toBeDefined();
  });

  test.each([
    ["the current key", { current: "" }],
    ["the current key", { current: "a secret of thirty-one bytes..." }],
    ["previous key 2", { current: secret, previous: [secret, "too short"] }],
  ])("say that %s is too short, and not what it is", (which, keys) => {
    const build = () => jwtTokens({ keys });
    expect(build).toThrow(ConfigurationError);
    expect(build).toThrow(new RegExp(`${which} to have at least 32 bytes`));
    expect(build).not.toThrow(/thirty-one|too short/);
  });

  test("are measured in bytes", () => {
    expect(jwtTokens({ keys: { current: "ä".repeat(16) } })).toBeInstanceOf(JwtTokens);
  });
});

describe("settings", () => {
  test.each<Partial<JwtTokensOptions>>([
    { issuer: "" },
    { audience: "" },
    { clockTolerance: -1 },
    { clockTolerance: Number.NaN },
  ])("refuses %j", (options) => {
    expect(() => jwtTokens(options)).toThrow(ConfigurationError);
  });
});

describe("time", () => {
  test.each([
    [undefined, 5000],
    [0, 0],
    [60_000, 60_000],
  ])("tolerates a difference between clocks: set to %s, %d ms", async (clockTolerance, tolerated) => {
    const clock = new FakeClock();
    const tokens = jwtTokens({ clock, ...(clockTolerance === undefined ? {} : { clockTolerance }) });
    const { token } = await tokens.issue(alice, { expiresIn: hour });
    await clock.advance(hour + tolerated - 1);
    expect(await tokens.verify(token)).toBeDefined();
    await clock.advance(1);
    expect(await tokens.verify(token)).toBeUndefined();
  });

  test("refuses a token before its time has come", async () => {
    const clock = new FakeClock();
    const notBefore = clock.now() / 1000 + 60;
    const token = await forge({ claims: { nbf: notBefore } });
    const tokens = jwtTokens({ clock });
    expect(await tokens.verify(token)).toBeUndefined();
    await clock.advance(55_000);
    expect(await tokens.verify(token)).toBeDefined();
  });
});

describe("revocation", () => {
  test("is not asked about a token that is no good anyway", async () => {
    const revocations = new Revocations();
    const tokens = jwtTokens({ revocations });
    expect(await tokens.verify("a.b.c")).toBeUndefined();
    expect(await tokens.verify(await forge({ claims: { exp: 1 } }))).toBeUndefined();
    expect(revocations.asked).toEqual([]);
    const grant = await tokens.verify(await forge({ claims: { sid: "s1" } }));
    expect(grant).toMatchObject({ tokenId: "j", sessionId: "s1", user: { id: "7" } });
    expect(revocations.asked).toEqual([grant]);
  });

  test("tells a token issued before a moment from one issued after, within a second", async () => {
    const clock = new FakeClock(1_700_000_000_001);
    const revocations = new Revocations();
    const tokens = jwtTokens({ clock, revocations });
    const before = await tokens.issue(alice, { expiresIn: hour });
    await clock.advance(1);
    await revocations.revokeIssuedBefore(alice.id, clock.now());
    const after = await tokens.issue(alice, { expiresIn: hour });
    expect(await tokens.verify(before.token)).toBeUndefined();
    expect(await tokens.verify(after.token)).toMatchObject({ issuedAt: 1_700_000_000_002 });
  });

  test("that cannot be asked about is an error, not a good token", async () => {
    const revocations = new Revocations();
    vi.spyOn(revocations, "isRevoked").mockRejectedValue(new Error("unreachable"));
    await expect(jwtTokens({ revocations }).verify(await forge({}))).rejects.toThrow("unreachable");
  });
});

describe("a token that somebody put together", () => {
  test("passes if it is as we would have made it", async () => {
    expect(await jwtTokens().verify(await forge({}))).toMatchObject({ user: { username: "alice" } });
  });

  test.each<[string, Forgery]>([
    ["another audience", { claims: { aud: "mail" } }],
    ["no audience", { claims: { aud: undefined } }],
    ["another issuer", { claims: { iss: "somebody" } }],
    ["no issuer", { claims: { iss: undefined } }],
    ["no end", { claims: { exp: undefined } }],
    ["no name for itself", { claims: { jti: undefined } }],
    ["no subject", { claims: { sub: undefined } }],
    ["no username", { claims: { username: undefined } }],
    ["no name", { claims: { name: undefined } }],
    ["another type", { header: { typ: "JWT" } }],
    ["no type", { header: { typ: undefined } }],
    ["no key id", { header: { kid: undefined } }],
    ["an unknown key id", { header: { kid: "0".repeat(24) } }],
    ["a critical extension", { header: { crit: ["exp"], exp: 1 } }],
    ["HS384", { header: { alg: "HS384" } }],
    ["HS512", { header: { alg: "HS512" } }],
  ])("is refused with %s", async (_what, forgery) => {
    expect(await jwtTokens().verify(await forge(forgery))).toBeUndefined();
  });

  test("is refused with alg none, with a signature or without", async () => {
    const [, claims, signature] = (await forge({})).split(".");
    for (const alg of ["none", "None", "NONE", ""]) {
      const header = base64url({ alg, typ: "at+jwt", kid: await ownKeyId() });
      expect(await jwtTokens().verify(`${header}.${claims}.${signature}`)).toBeUndefined();
      expect(await jwtTokens().verify(`${header}.${claims}.`)).toBeUndefined();
    }
  });

  test("is refused with a key of its own, and nothing is fetched", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = await exportJWK(publicKey);
    for (const offer of [{ jwk }, { jku: "https://evil.example/keys" }, { x5u: "https://evil.example/cert" }]) {
      const header = { alg: "ES256", typ: "at+jwt", kid: await ownKeyId(), ...offer };
      const token = await new SignJWT(goodClaims()).setProtectedHeader(header).sign(privateKey);
      expect(await jwtTokens().verify(token)).toBeUndefined();
      // Signed as it should be, it passes: what it offers is not looked at.
      expect(await jwtTokens().verify(await forge({ header: offer }))).toBeDefined();
    }
    expect(fetched).not.toHaveBeenCalled();
  });

  test.each(["sub", "username", "name", "jti", "exp", "iss", "aud"])(
    "is refused with a %s of a wrong type",
    async (claim) => {
      const tokens = jwtTokens();
      // 0 is a number for a text, and as the end of a token long past.
      for (const value of [null, true, 0, {}, [], [["chat"]], { toString: "x" }]) {
        expect(await tokens.verify(await forge({ claims: { [claim]: value } })), JSON.stringify(value)).toBeUndefined();
      }
    },
  );

  test("never makes the verifier throw", async () => {
    const tokens = jwtTokens();
    const verdict = async (token: string) => (await tokens.verify(token)) === undefined;
    await fc.assert(fc.asyncProperty(fc.string({ unit: "binary" }), verdict));
    await fc.assert(fc.asyncProperty(fc.json(), async (json) => verdict(await sign(json))));
    await fc.assert(
      fc.asyncProperty(fc.json(), async (json) => verdict(`${base64url(JSON.parse(json))}.e30.${"A".repeat(43)}`)),
    );
  });
});

interface Forgery {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
}

function goodClaims(): JWTPayload {
  const now = new FakeClock().now() / 1000;
  return {
    iss: "sluice",
    aud: "chat",
    sub: "7",
    username: "alice",
    name: "Alice",
    jti: "j",
    iat: now,
    exp: now + 3600,
  };
}

/** A token with our own secret's signature that differs from ours as the forgery says. */
async function forge({ claims = {}, header = {} }: Forgery): Promise<string> {
  const payload: JWTPayload = { ...goodClaims(), ...claims };
  const protectedHeader = { alg: "HS256", typ: "at+jwt", kid: await ownKeyId(), ...header } as JWTHeaderParameters;
  return new SignJWT(payload)
    .setProtectedHeader(protectedHeader)
    .sign(new TextEncoder().encode(secret), { crit: { exp: false } });
}

/** Any text as the claims, with our own signature. */
async function sign(claims: string): Promise<string> {
  const head = `${base64url({ alg: "HS256", typ: "at+jwt", kid: await ownKeyId() })}.${Buffer.from(claims).toString("base64url")}`;
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(head));
  return `${head}.${Buffer.from(signature).toString("base64url")}`;
}

async function ownKeyId(): Promise<string> {
  const { token } = await jwtTokens().issue(alice, { expiresIn: hour });
  return decodeProtectedHeader(token).kid ?? "";
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
