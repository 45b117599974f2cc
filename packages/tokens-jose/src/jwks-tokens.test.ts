import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { ConfigurationError, fetchApp, fromHeader, KeysUnavailable, TokenAuth, type User } from "@sluice/core";
import { FakeClock, HttpCommunicator } from "@sluice/testing";
import { tokenVerifierContract } from "@sluice/testing/contract";
import { type JWK, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type JwksAlgorithm, JwksTokens, type JwksTokensOptions } from "./jwks-tokens.js";

const issuer = "https://id.example.com";
const audience = "https://chat.example.com";
const now = new FakeClock().now() / 1000;

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly jwk: JWK;
}

function signingKey(kid: string, alg = "ES256"): SigningKey {
  const { privateKey, publicKey } = pairFor(alg);
  return { kid, alg, privateKey, jwk: { ...(publicKey.export({ format: "jwk" }) as JWK), kid, use: "sig" } };
}

function pairFor(alg: string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (alg === "EdDSA" || alg === "Ed25519") return generateKeyPairSync("ed25519");
  if (!alg.startsWith("ES")) return generateKeyPairSync("rsa", { modulusLength: 2048 });
  return generateKeyPairSync("ec", { namedCurve: alg === "ES512" ? "P-521" : `P-${alg.slice(2)}` });
}

/** A server that publishes keys, and counts how often it is asked for them. */
class Provider {
  readonly server: Server = createServer((request, response) => {
    this.asked += 1;
    this.answer(request, response);
  });
  asked = 0;
  answer: RequestListener = () => {};

  publish(...keys: readonly SigningKey[]): void {
    this.answerWith(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  }

  answerWith(body: string | Uint8Array, status = 200, headers: Record<string, string> = {}): void {
    this.answer = (_, response) => response.writeHead(status, headers).end(body);
  }

  breakDown(): void {
    this.answer = (request) => request.socket.destroy();
  }

  async listen(): Promise<void> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/jwks`;
  }
}

const key = signingKey("first");
const nextKey = signingKey("next");
const provider = new Provider();
let clock: FakeClock;

beforeAll(() => provider.listen());
afterAll(() => provider.close());
beforeEach(() => {
  clock = new FakeClock();
  provider.publish(key);
  provider.asked = 0;
});

interface Customer extends User {
  readonly email: unknown;
}

function jwksTokens(options: Partial<JwksTokensOptions<Customer>> = {}): JwksTokens<Customer> {
  return new JwksTokens({
    jwksUrl: provider.url,
    issuer,
    audience,
    algorithms: ["ES256"],
    clock,
    user: ({ sub, email }) =>
      sub === undefined ? undefined : { isAuthenticated: true, id: sub, username: `user ${sub}`, email },
    ...options,
  });
}

function sign(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  { kid, alg, privateKey }: SigningKey = key,
): Promise<string> {
  return new SignJWT({ iss: issuer, aud: audience, sub: "7", exp: now + 100_000, ...claims })
    .setProtectedHeader({ alg, kid, ...header })
    .sign(privateKey, { crit: { exp: false } });
}

const signedBy = (by: SigningKey): Promise<string> => sign({}, {}, by);
const good = { user: { id: "7" } };

const revoked = new Set<string>();
let contractTokens: JwksTokens<Customer> | undefined;

tokenVerifierContract({
  name: "JwksTokens",
  verifier: {
    verify(token) {
      contractTokens ??= jwksTokens({
        isRevoked: async ({ tokenId }) => revoked.has(tokenId),
      });
      return contractTokens.verify(token);
    },
  },
  async issue() {
    return { token: await sign({ jti: randomUUID() }), user: { id: "7", username: "user 7" } };
  },
  issueExpired: () => sign({ exp: now - 3600 }),
  async issueRevoked() {
    revoked.add("withdrawn");
    return sign({ jti: "withdrawn" });
  },
  issueElsewhere: () => signedBy(signingKey("first")),
});

describe("a grant", () => {
  it("has what the claims say", async () => {
    const token = await sign({ jti: "t1", sid: "s1", scope: "chat:read chat:write", iat: now - 60, email: "a@b.c" });
    expect(await jwksTokens().verify(token)).toEqual({
      user: { isAuthenticated: true, id: "7", username: "user 7", email: "a@b.c" },
      tokenId: "t1",
      sessionId: "s1",
      scopes: ["chat:read", "chat:write"],
      issuedAt: (now - 60) * 1000,
      expiresAt: (now + 100_000) * 1000,
    });
  });

  it.each([
    [{ scp: "chat:read chat:write" }, ["chat:read", "chat:write"]],
    [{ scp: ["chat:read"] }, ["chat:read"]],
    [{ scope: "", scp: ["chat:read"] }, []],
    [{ scp: ["chat:read", 7] }, undefined],
    [{ scope: ["chat:read"] }, undefined],
  ])("takes %j for scopes", async (claims, scopes) => {
    expect((await jwksTokens().verify(await sign(claims)))?.scopes).toEqual(scopes);
  });

  it.each([undefined, "", 7])("names a token with the jti %j by a digest that every spelling shares", async (jti) => {
    const token = await sign({ jti });
    const grant = await jwksTokens().verify(token);
    expect(grant?.tokenId).toMatch(/^[0-9a-f]{64}$/);
    expect(await jwksTokens().verify(otherSpelling(token))).toEqual(grant);
    expect((await jwksTokens().verify(await sign({ jti, other: true })))?.tokenId).not.toBe(grant?.tokenId);
  });

  it("is for whom the application knows", async () => {
    const tokens = jwksTokens({ user: async () => undefined });
    expect(await tokens.verify(await sign())).toBeUndefined();
    const failing = jwksTokens({ user: () => Promise.reject(new Error("no database")) });
    await expect(failing.verify(await sign())).rejects.toThrow("no database");
  });
});

describe("a token", () => {
  it.each<JwksAlgorithm>(["RS256", "RS384", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"])(
    "may be signed with %s, where that is allowed",
    async (alg) => {
      const own = signingKey("own", alg);
      provider.publish(key, own);
      expect(await jwksTokens({ algorithms: ["ES256", alg] }).verify(await signedBy(own))).toMatchObject(good);
      if (alg !== "ES256") expect(await jwksTokens().verify(await signedBy(own))).toBeUndefined();
    },
  );

  it.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
    ["another issuer", { iss: `${issuer}/` }],
    ["no issuer", { iss: undefined }],
    ["another audience", { aud: "https://others.example.com" }],
    ["no audience", { aud: undefined }],
    ["no end", { exp: undefined }],
    ["an end that has come, beyond the tolerance", { exp: now - 5 }],
    ["a beginning to come, beyond the tolerance", { nbf: now + 6 }],
    ["a time that is text", { exp: "tomorrow" }],
    ["no subject, which the application wants", { sub: undefined }],
    ["a critical extension", {}, { crit: ["exp"], exp: 1 }],
    ["an extension that is critical and known", {}, { crit: ["b64"], b64: true }],
    ["an unknown kid", {}, { kid: "unknown" }],
  ])("is refused with %s", async (_, claims, header = {}) => {
    expect(await jwksTokens().verify(await sign(claims, header))).toBeUndefined();
    expect(await jwksTokens().verify(await sign())).toMatchObject(good);
  });

  it("is accepted within the difference that clocks may have", async () => {
    for (const claims of [{ exp: now - 4 }, { nbf: now + 5 }]) {
      expect(await jwksTokens().verify(await sign(claims))).toMatchObject(good);
      expect(await jwksTokens({ clockTolerance: 0 }).verify(await sign(claims))).toBeUndefined();
    }
  });

  it("may be for several audiences, of which one is ours", async () => {
    const token = await sign({ aud: ["https://others.example.com", audience] });
    expect(await jwksTokens().verify(token)).toMatchObject(good);
    expect(await jwksTokens({ audience: ["https://x.example.com", audience] }).verify(token)).toMatchObject(good);
    expect(await jwksTokens({ audience: ["https://x.example.com"] }).verify(token)).toBeUndefined();
  });

  it("has the type and the claims that are asked for", async () => {
    const tokens = jwksTokens({ typ: "at+jwt", requiredClaims: ["client_id"] });
    const claims = { client_id: "app" };
    for (const typ of ["at+jwt", "application/at+jwt"]) {
      expect(await tokens.verify(await sign(claims, { typ }))).toMatchObject(good);
      expect(await tokens.verify(await sign({}, { typ }))).toBeUndefined();
    }
    for (const typ of ["JWT", undefined]) expect(await tokens.verify(await sign(claims, { typ }))).toBeUndefined();
  });

  it("may do without a kid where there is one key that fits", async () => {
    const token = await sign({}, { kid: undefined });
    expect(await jwksTokens().verify(token)).toMatchObject(good);
    provider.publish(key, nextKey);
    expect(await jwksTokens().verify(token)).toBeUndefined();
  });

  it("is never a reason to ask anybody but the issuer", async () => {
    const stranger = new Provider();
    await stranger.listen();
    onTestFinished(() => stranger.close());
    stranger.publish(nextKey);
    const tokens = jwksTokens();
    const { url } = stranger;
    for (const offer of [{ jwk: nextKey.jwk }, { jku: url }, { x5u: url }, { x5c: ["AAAA"] }]) {
      for (const kid of ["first", "next", undefined]) {
        expect(await tokens.verify(await sign({}, { ...offer, kid }, nextKey))).toBeUndefined();
      }
      expect(await tokens.verify(await sign({}, offer))).toMatchObject(good);
    }
    expect(await tokens.verify(await sign({ iss: url }))).toBeUndefined();
    expect([stranger.asked, provider.asked]).toEqual([0, 1]);
  });

  it("with HS256 or none is refused before anybody is asked", async () => {
    const secrets = [JSON.stringify(key.jwk), publicPem(), publicPem().trim()];
    const tokens = jwksTokens();
    const [, claims] = (await sign()).split(".");
    for (const alg of ["HS256", "none"]) {
      const head = `${Buffer.from(JSON.stringify({ alg, kid: key.kid })).toString("base64url")}.${claims}`;
      for (const secret of secrets) {
        const signature = createHmac("sha256", secret).update(head).digest("base64url");
        expect(await tokens.verify(`${head}.${signature}`)).toBeUndefined();
      }
      expect(await tokens.verify(`${head}.`)).toBeUndefined();
    }
    expect(provider.asked).toBe(0);
  });

  function publicPem(): string {
    return createPublicKey(key.privateKey).export({ type: "spki", format: "pem" }) as string;
  }
});

describe("keys", () => {
  it("are fetched once for all who wait, and kept until they are too old", async () => {
    const tokens = jwksTokens({ cacheMaxAge: 600_000 });
    const token = await sign();
    const verifyMany = () => Promise.all(Array.from({ length: 20 }, async () => tokens.verify(token)));
    for (const grant of await verifyMany()) expect(grant).toMatchObject(good);
    await clock.advance(599_999);
    await verifyMany();
    expect(provider.asked).toBe(1);
    await clock.advance(1);
    for (const grant of await verifyMany()) expect(grant).toMatchObject(good);
    expect(provider.asked).toBe(2);
  });

  it("that nobody knows cost one fetch in a cool-down, however many tokens name them", async () => {
    const tokens = jwksTokens({ cooldown: 30_000 });
    const flood = async () => {
      const forged = await Promise.all(Array.from({ length: 50 }, () => sign({}, { kid: randomUUID() }, nextKey)));
      for (const verdict of await Promise.all(forged.map(async (token) => tokens.verify(token)))) {
        expect(verdict).toBeUndefined();
      }
    };
    for (const fetches of [1, 1]) {
      await flood();
      expect(provider.asked).toBe(fetches);
    }
    await clock.advance(29_999);
    await flood();
    expect(provider.asked).toBe(1);
    await clock.advance(1);
    await flood();
    await flood();
    expect(provider.asked).toBe(2);
    expect(await tokens.verify(await sign())).toMatchObject(good);
  });

  it("change with those of the issuer: a new one after the cool-down, one that is withdrawn by the next fetch", async () => {
    const tokens = jwksTokens({ cooldown: 30_000, cacheMaxAge: 600_000 });
    expect(await tokens.verify(await sign())).toMatchObject(good);
    provider.publish(key, nextKey);
    expect(await tokens.verify(await signedBy(nextKey))).toBeUndefined();
    await clock.advance(30_000);
    expect(await tokens.verify(await signedBy(nextKey))).toMatchObject(good);
    provider.publish(nextKey);
    expect(await tokens.verify(await sign())).toMatchObject(good);
    await clock.advance(600_000);
    expect(await tokens.verify(await sign())).toBeUndefined();
    expect(await tokens.verify(await signedBy(nextKey))).toMatchObject(good);
    expect(provider.asked).toBe(3);
  });
});

describe("an issuer that is away", () => {
  it("is asked once a second, and its keys are used for as long as they may be stale", async () => {
    const tokens = jwksTokens({ cacheMaxAge: 600_000, staleIfError: 3_600_000 });
    const token = await sign();
    await tokens.verify(token);
    provider.breakDown();
    await clock.advance(599_999);
    expect(await tokens.verify(token)).toMatchObject(good);
    expect(provider.asked).toBe(1);
    await clock.advance(1);
    const once = provider.asked;
    await Promise.all(Array.from({ length: 20 }, async () => tokens.verify(token)));
    expect(await tokens.verify(token)).toMatchObject(good);
    const attempts = provider.asked - once;
    await clock.advance(999);
    await tokens.verify(token);
    expect(provider.asked - once).toBe(attempts);
    await clock.advance(1);
    await tokens.verify(token);
    expect(provider.asked - once).toBe(2 * attempts);

    await clock.advance(3_598_999);
    expect(await tokens.verify(token)).toMatchObject(good);
    await clock.advance(1);
    await expect(tokens.verify(token)).rejects.toThrow(KeysUnavailable);
    provider.publish(key);
    await expect(tokens.verify(token)).rejects.toThrow(KeysUnavailable);
    await clock.advance(1000);
    expect(await tokens.verify(token)).toMatchObject(good);
  });

  it("leaves no keys where none may be stale", async () => {
    const tokens = jwksTokens({ cacheMaxAge: 1000, staleIfError: 0 });
    await tokens.verify(await sign());
    provider.breakDown();
    await clock.advance(1000);
    await expect(tokens.verify(await sign())).rejects.toThrow(KeysUnavailable);
  });

  it("cannot say whether a new key is its own: that is no verdict", async () => {
    const tokens = jwksTokens({ cooldown: 30_000 });
    await tokens.verify(await sign());
    provider.breakDown();
    await clock.advance(30_000);
    await expect(tokens.verify(await signedBy(nextKey))).rejects.toThrow(KeysUnavailable);
    expect(await tokens.verify(await sign())).toMatchObject(good);
  });

  it("makes TokenAuth refuse with 503, and let in again when it is back", async () => {
    provider.breakDown();
    const inner = fetchApp<{ user: Customer }>((_, { scope }) => Response.json(scope.user.id));
    const gate = TokenAuth(inner, { verifier: jwksTokens(), from: [fromHeader()], onAnonymous: "deny" });
    const ask = async (token: string) => {
      const headers = [["authorization", `Bearer ${token}`]] as const;
      const communicator = new HttpCommunicator(gate, "GET", "/", { headers, timeout: 20_000, expectErrors: true });
      return (await communicator.getResponse()).status;
    };
    expect(await ask(await sign())).toBe(503);
    expect(await ask("no.token.A")).toBe(401);
    provider.publish(key);
    await clock.advance(1000);
    expect(await ask(await sign())).toBe(200);
    expect(await ask(await sign({ aud: "others" }))).toBe(401);
  });

  it("is named in the error, without what its query may hold", async () => {
    provider.breakDown();
    const tokens = jwksTokens({ jwksUrl: `${provider.url}?key=s3cret` });
    const error = await Promise.resolve(tokens.verify(await sign())).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "keys_unavailable", cause: expect.any(Error) });
    expect(error).toMatchObject({ message: `the keys at ${provider.url} could not be fetched` });
  });
});

describe("an answer", () => {
  const endless: RequestListener = (_, response) => {
    response.write('{"keys":[');
    const more = (): void => {
      while (!response.destroyed && response.write(" ".repeat(10_000)));
    };
    response.on("drain", more);
    more();
  };

  it.each<[string, () => void]>([
    ["no JSON", () => provider.answerWith("<html>")],
    ["nothing", () => provider.answerWith("")],
    ["no set", () => provider.answerWith("[]")],
    ["a set without a list", () => provider.answerWith('{"keys":{}}')],
    ["a list of something else", () => provider.answerWith('{"keys":[1]}')],
    ["404", () => provider.answerWith('{"keys":[]}', 404)],
    ["500", () => provider.answerWith('{"keys":[]}', 500)],
    ["204", () => provider.answerWith("", 204)],
    ["a body that breaks off", () => (provider.answer = (_, response) => breakOff(response))],
    ["a body without an end", () => (provider.answer = endless)],
  ])("that is %s gives no keys", async (_, answer) => {
    answer();
    const tokens = jwksTokens({ timeout: 20_000 });
    await expect(tokens.verify(await sign())).rejects.toThrow(KeysUnavailable);
  });

  it.each<[string, (body: string) => void]>([
    ["as it is", (body) => provider.answerWith(body)],
    [
      "of unknown length",
      (body) => (provider.answer = (_, response) => void response.write(body, () => response.end())),
    ],
    ["compressed", (body) => provider.answerWith(gzipSync(body), 200, { "content-encoding": "gzip" })],
  ])("may have %s so many bytes and no more", async (_, answer) => {
    const body = JSON.stringify({ keys: [key.jwk], padding: "x".repeat(5000) });
    answer(body);
    expect(await jwksTokens({ maxSize: body.length }).verify(await sign())).toMatchObject(good);
    const refused = jwksTokens({ maxSize: body.length - 1 }).verify(await sign());
    await expect(refused).rejects.toMatchObject({ cause: { message: expect.stringContaining("expected at most") } });
  });

  it("that is too large is read no further", async () => {
    const closed = new Promise((resolve) => {
      provider.answer = (request, response) => {
        response.once("close", resolve);
        endless(request, response);
      };
    });
    await expect(jwksTokens({ timeout: 20_000 }).verify(await sign())).rejects.toThrow(KeysUnavailable);
    await closed;
  });

  it.each<[string, RequestListener]>([
    ["does not come", () => {}],
    ["has no end", (_, response) => void response.write('{"keys":[')],
  ])("that %s in time gives no keys", async (_, answer) => {
    provider.answer = answer;
    const waiting = jwksTokens({ timeout: 50 }).verify(await sign());
    await expect(waiting).rejects.toMatchObject({ cause: { code: "ERR_JWKS_TIMEOUT" } });
  });

  it.each([301, 302, 303, 307, 308])("of %d leads nowhere", async (status) => {
    const elsewhere = new Provider();
    await elsewhere.listen();
    onTestFinished(() => elsewhere.close());
    elsewhere.publish(key);
    provider.answerWith("", status, { location: elsewhere.url });
    await expect(jwksTokens().verify(await sign())).rejects.toThrow(KeysUnavailable);
    expect([provider.asked, elsewhere.asked]).toEqual([1, 0]);
  });

  function breakOff(response: Parameters<RequestListener>[1]): void {
    response.writeHead(200, { "content-length": "100" });
    response.write('{"keys":[]}', () => response.destroy());
  }
});

describe("settings", () => {
  it.each<[string, Partial<JwksTokensOptions<Customer>>]>([
    ["HS256", { algorithms: ["ES256", "HS256" as JwksAlgorithm] }],
    ["none", { algorithms: ["none" as JwksAlgorithm] }],
    ["no algorithm", { algorithms: [] }],
    ["an empty issuer", { issuer: "" }],
    ["an empty audience", { audience: "" }],
    ["no audience", { audience: [] }],
    ["an empty one among audiences", { audience: [audience, ""] }],
    ["an empty type", { typ: "" }],
    ["an empty claim", { requiredClaims: [""] }],
    ["no URL", { jwksUrl: "/jwks" }],
    ["plain HTTP to elsewhere", { jwksUrl: "http://id.example.com/jwks" }],
    ["plain HTTP to what looks like this machine", { jwksUrl: "http://127.0.0.1.example.com/jwks" }],
    ["a file", { jwksUrl: "file:///etc/keys.json" }],
    ["a password", { jwksUrl: "https://user:s3cret@id.example.com/jwks" }],
    ["a negative tolerance", { clockTolerance: -1 }],
    ["an age that is none", { cacheMaxAge: Number.NaN }],
    ["an endless age", { cacheMaxAge: Number.POSITIVE_INFINITY }],
    ["a negative cool-down", { cooldown: -1 }],
    ["a negative staleness", { staleIfError: -1 }],
    ["no time", { timeout: 0 }],
    ["no size", { maxSize: 0 }],
  ])("%s is refused when it is put in", (_, options) => {
    expect(() => jwksTokens(options)).toThrow(ConfigurationError);
    expect(() => jwksTokens(options)).not.toThrow(/s3cret/);
  });

  it.each(["https://id.example.com/jwks", new URL("http://localhost:1/"), "http://[::1]:1/", "http://127.1.2.3/"])(
    "takes %s",
    (jwksUrl) => {
      expect(jwksTokens({ jwksUrl })).toBeInstanceOf(JwksTokens);
    },
  );
});

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Of an ECDSA signature (r, s) over P-256 there is another one, (r, n - s). */
function otherSpelling(token: string): string {
  const [header, claims, signature = ""] = token.split(".");
  const bytes = Buffer.from(signature, "base64url");
  const s = BigInt(`0x${bytes.subarray(32).toString("hex")}`);
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from((order - s).toString(16).padStart(64, "0"), "hex")]);
  return `${header}.${claims}.${other.toString("base64url")}`;
}
