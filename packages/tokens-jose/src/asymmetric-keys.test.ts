import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigurationError } from "@sluice/core";
import { FakeClock } from "@sluice/testing";
import { tokenVerifierContract } from "@sluice/testing/contract";
import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";
import { JwtTokens, type JwtTokensOptions } from "./jwt-tokens.js";
import type { KeySource } from "./keys.js";

const secret = "an old secret of thirty-two bytes";
const hour = 3_600_000;
const now = new FakeClock().now() / 1000;
const alice = { id: "7", username: "alice", name: "Alice Ä" };

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const makePair = {
  ES256: (): Pair => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: (): Pair => generateKeyPairSync("ed25519"),
} as const;

const pem = ({ privateKey }: Pair): string => privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const publicPem = ({ publicKey }: Pair): string => publicKey.export({ type: "spki", format: "pem" }) as string;
const jwk = ({ privateKey }: Pair): JWK => privateKey.export({ format: "jwk" }) as JWK;
const publicJwk = ({ publicKey }: Pair): JWK => publicKey.export({ format: "jwk" }) as JWK;

function jwtTokens(current: KeySource, options: Partial<JwtTokensOptions> = {}): JwtTokens {
  return new JwtTokens({ keys: { current }, issuer: "sluice", audience: "chat", clock: new FakeClock(), ...options });
}

async function issue(tokens: JwtTokens): Promise<string> {
  return (await tokens.issue(alice, { expiresIn: hour })).token;
}

describe.each(["ES256", "EdDSA"] as const)("%s", (algorithm) => {
  const own = makePair[algorithm]();
  const foreign = makePair[algorithm]();
  const tokens = jwtTokens(pem(own));
  const revoked = new Set<string>();
  const revocable = jwtTokens(pem(own), {
    revocations: { isRevoked: async ({ tokenId }) => revoked.has(tokenId) },
  });

  tokenVerifierContract({
    name: `JwtTokens with ${algorithm}`,
    verifier: revocable,
    issue: async () => ({ token: await issue(revocable), user: alice }),
    issueExpired: () => issue(jwtTokens(pem(own), { clock: new FakeClock(new FakeClock().now() - 2 * hour) })),
    async issueRevoked() {
      const { token, jti } = await revocable.issue(alice, { expiresIn: hour });
      revoked.add(jti);
      return token;
    },
    issueElsewhere: () => issue(jwtTokens(pem(foreign))),
  });

  it("is what a key of its kind signs with, under its thumbprint", async () => {
    const kid = await calculateJwkThumbprint(publicJwk(own));
    for (const source of [pem(own), jwk(own), `\n${pem(own)}\n`, { ...jwk(own), alg: algorithm, kid: "mine" }]) {
      const token = await issue(jwtTokens(source));
      expect(decodeProtectedHeader(token)).toEqual({ alg: algorithm, typ: "at+jwt", kid });
      expect(await tokens.verify(token)).toMatchObject({ user: alice });
    }
  });

  it.each([
    ["a private PEM", pem],
    ["a public PEM", publicPem],
    ["a private JWK", jwk],
    ["a public JWK", publicJwk],
  ])("of before still verifies by %s, and signs no more", async (_, sourceOf) => {
    const renewed = new JwtTokens({
      keys: { current: pem(foreign), previous: [sourceOf(own)] },
      issuer: "sluice",
      audience: "chat",
      clock: new FakeClock(),
    });
    expect(await renewed.verify(await issue(tokens))).toMatchObject({ user: alice });
    const newer = await issue(renewed);
    expect(await renewed.verify(newer)).toMatchObject({ user: alice });
    expect(await tokens.verify(newer)).toBeUndefined();
  });

  it("is announced in a JWK Set by which others verify, and nothing private", async () => {
    const rotated = jwtTokens(jwk(own), {
      keys: { current: jwk(own), previous: [pem(foreign), secret, publicPem(own)] },
    });
    const set = await rotated.jwks();
    const announced = async (pair: Pair) => ({
      ...publicJwk(pair),
      kid: await calculateJwkThumbprint(publicJwk(pair)),
      alg: algorithm,
      use: "sig",
    });
    expect(set).toEqual({ keys: [await announced(own), await announced(foreign)] });
    const options = { issuer: "sluice", audience: "chat", currentDate: new Date(new FakeClock().now()) };
    const { payload } = await jwtVerify(await issue(rotated), createLocalJWKSet(set), options);
    expect(payload.sub).toBe("7");
  });

  it("gives away a set that is the caller's own", async () => {
    const set = await tokens.jwks();
    for (const key of set.keys) key.x = "spoilt";
    set.keys.length = 0;
    expect(await tokens.jwks()).toMatchObject({ keys: [{ x: publicJwk(own).x }] });
  });

  it("does not give way to HS256 with the public key for a secret", async () => {
    const kid = await calculateJwkThumbprint(publicJwk(own));
    const der = own.publicKey.export({ type: "spki", format: "der" });
    const spellings = [publicPem(own), publicPem(own).trim(), JSON.stringify(publicJwk(own)), kid.padEnd(32), der];
    const withSecret = jwtTokens(pem(own), { keys: { current: pem(own), previous: [secret] } });
    for (const bytes of spellings) {
      const token = forge(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, { alg: "HS256", kid });
      expect(await tokens.verify(token)).toBeUndefined();
      expect(await withSecret.verify(token)).toBeUndefined();
    }
    // Nor does a secret's name make a good token of one that the public key's owner signed.
    const secretId = decodeProtectedHeader(await issue(jwtTokens(secret))).kid;
    expect(await withSecret.verify(forge(own.privateKey, { alg: algorithm, kid: secretId }))).toBeUndefined();
  });

  it("does not give way to alg none, with a signature or without", async () => {
    const [head = "", claims, signature] = (await issue(tokens)).split(".");
    const { kid } = JSON.parse(Buffer.from(head, "base64url").toString());
    for (const alg of ["none", "None", ""]) {
      const header = Buffer.from(JSON.stringify({ alg, typ: "at+jwt", kid })).toString("base64url");
      expect(await tokens.verify(`${header}.${claims}.${signature}`)).toBeUndefined();
      expect(await tokens.verify(`${header}.${claims}.`)).toBeUndefined();
    }
  });

  it("does not look at keys that a token brings along, and asks nobody for them", async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.end(JSON.stringify({ keys: [publicJwk(foreign)] }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const kid = await calculateJwkThumbprint(publicJwk(own));
    const offers = [{ jwk: publicJwk(foreign) }, { jku: url }, { x5u: url }, { x5c: ["AAAA"] }];
    for (const offer of offers) {
      const header = { alg: algorithm, ...offer };
      for (const id of [kid, await calculateJwkThumbprint(publicJwk(foreign)), undefined]) {
        expect(await tokens.verify(forge(foreign.privateKey, { ...header, kid: id }))).toBeUndefined();
      }
      expect(await tokens.verify(forge(own.privateKey, { ...header, kid }))).toMatchObject({ user: alice });
    }
    expect(asked).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
    ["an unknown kid", { kid: "A".repeat(43) }],
    ["no kid", { kid: undefined }],
    ["a critical extension", { crit: ["exp"], exp: 1 }],
    ["an extension that is critical and known", { crit: ["b64"], b64: true }],
    ["another type", { typ: "JWT" }],
    ["no type", { typ: undefined }],
    ["another algorithm's name", { alg: algorithm === "EdDSA" ? "ES256" : "EdDSA" }],
    ["another name of its algorithm's family", { alg: algorithm === "EdDSA" ? "Ed25519" : "ES384" }],
    ["another issuer", {}, { iss: "somebody" }],
    ["another audience", {}, { aud: "others" }],
    ["an end that has come, beyond the tolerance", {}, { exp: now - 5 }],
    ["a beginning to come, beyond the tolerance", {}, { nbf: now + 6 }],
    ["no end", {}, { exp: undefined }],
  ])("is refused with %s", async (_, header, claims) => {
    const kid = await calculateJwkThumbprint(publicJwk(own));
    const good = { alg: algorithm, kid };
    expect(await tokens.verify(forge(own.privateKey, { ...good, ...header }, claims))).toBeUndefined();
    expect(await tokens.verify(forge(own.privateKey, good))).toMatchObject({ user: alice });
  });

  it("is accepted within the difference that clocks may have", async () => {
    const header = { alg: algorithm, kid: await calculateJwkThumbprint(publicJwk(own)) };
    for (const claims of [{ exp: now - 4 }, { nbf: now + 5 }]) {
      expect(await tokens.verify(forge(own.privateKey, header, claims))).toMatchObject({ user: alice });
    }
  });
});

describe("keys", () => {
  const pair = makePair.ES256();

  it("may be of other kinds than those of before", async () => {
    const ofBefore = [secret, pem(pair)];
    const renewed = jwtTokens(pem(makePair.EdDSA()), { keys: { current: jwk(makePair.EdDSA()), previous: ofBefore } });
    for (const source of ofBefore) {
      expect(await renewed.verify(await issue(jwtTokens(source)))).toMatchObject({ user: alice });
    }
    expect(await jwtTokens(secret, { keys: { current: secret, previous: [publicPem(pair)] } }).jwks()).toMatchObject({
      keys: [{ kty: "EC" }],
    });
  });

  it("are none in the set where there are only secrets", async () => {
    expect(await jwtTokens(secret, { keys: { current: secret, previous: [secret] } }).jwks()).toEqual({ keys: [] });
  });

  it.each<[string, KeySource, RegExp]>([
    ["a public PEM", publicPem(pair), /current key to be a private one/],
    ["a public JWK", publicJwk(pair), /current key to be a private one/],
    ["a key of RSA", rsa().export({ type: "pkcs8", format: "pem" }) as string, /P-256 or an Ed25519 key/],
    ["a JWK of RSA", rsa().export({ format: "jwk" }) as JWK, /on P-256 or Ed25519, got kty "RSA"/],
    ["another curve", pem(generateKeyPairSync("ec", { namedCurve: "P-384" })), /P-256 or an Ed25519 key/],
    ["another Edwards curve", jwk(generateKeyPairSync("ed448")), /on P-256 or Ed25519, got kty "OKP" and crv "Ed448"/],
    ["a key for key agreement", pem(generateKeyPairSync("x25519")), /P-256 or an Ed25519 key/],
    ["a secret as a JWK", { kty: "oct", k: "c2VjcmV0" }, /on P-256 or Ed25519, got kty "oct"/],
    ["SEC 1", pair.privateKey.export({ type: "sec1", format: "pem" }) as string, /got EC PRIVATE KEY: convert .*pkcs8/],
    [
      "an encrypted key",
      pair.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }) as string,
      /got ENCRYPTED PRIVATE KEY/,
    ],
    ["two PEMs", pem(pair) + pem(pair), /one PEM/],
    ["half a PEM", pem(pair).slice(0, 60), /one PEM/],
    ["no base64", pem(pair).replace("\n", "\n="), /P-256 or an Ed25519 key/],
    ["a JWK for another algorithm", { ...jwk(pair), alg: "ES384" }, /for ES256, got a JWK for "ES384"/],
    ["a JWK for encryption", { ...jwk(pair), use: "enc" }, /for signatures, got a JWK for use "enc"/],
  ])("are refused when they are put in: %s", (_, current, message) => {
    const build = () => jwtTokens(current);
    expect(build).toThrow(ConfigurationError);
    expect(build).toThrow(message);
    expect(() => jwtTokens(secret, { keys: { current: secret, previous: [secret, "short"] } })).toThrow(
      /previous key 2/,
    );
  });

  it.each<[string, KeySource]>([
    ["a PEM that is cut", cutPem(pair)],
    ["a JWK without its point", { ...jwk(pair), x: undefined } as unknown as JWK],
    ["a point beside the curve", { ...jwk(pair), y: jwk(makePair.ES256()).y } as JWK],
    ["a JWK of two keys", { ...jwk(pair), d: jwk(makePair.ES256()).d } as JWK],
    ["an Ed25519 JWK of two keys", { ...jwk(makePair.EdDSA()), d: jwk(makePair.EdDSA()).d } as JWK],
  ])("that are broken are named when they are used: %s", async (_, current) => {
    const tokens = jwtTokens(current);
    await expect(tokens.jwks()).rejects.toThrow(ConfigurationError);
    await expect(issue(tokens)).rejects.toThrow("expected the current key to be a whole key");
    const verifying = jwtTokens(secret, {
      keys: { current: secret, previous: [publicPem(pair), { kty: "EC", crv: "P-256" }] },
    });
    await expect(verifying.jwks()).rejects.toThrow("expected previous key 2 to be a whole key");
  });
});

/** A PEM that lacks the last bytes of its key. */
function cutPem({ privateKey }: Pair): string {
  const der = privateKey.export({ type: "pkcs8", format: "der" }).subarray(0, -10);
  return `-----BEGIN PRIVATE KEY-----\n${der.toString("base64")}\n-----END PRIVATE KEY-----`;
}

function rsa(): KeyObject {
  return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
}

/** A token like ours, signed by the key's own algorithm whatever the header says: a private key's, or HS256 by bytes. */
function forge(
  key: KeyObject | Uint8Array,
  header: Record<string, unknown>,
  claims: Record<string, unknown> = {},
): string {
  const payload = { iss: "sluice", aud: "chat", sub: "7", username: "alice", name: "Alice Ä", jti: "j", exp: now + 60 };
  const signed = [
    { typ: "at+jwt", ...header },
    { ...payload, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${signatureOf(Buffer.from(signed), key).toString("base64url")}`;
}

function signatureOf(signed: Uint8Array, key: KeyObject | Uint8Array): Buffer {
  if (key instanceof Uint8Array) return createHmac("sha256", key).update(signed).digest();
  const isEdwards = key.asymmetricKeyType === "ed25519";
  return sign(isEdwards ? null : "sha256", signed, { key, dsaEncoding: "ieee-p1363" });
}
