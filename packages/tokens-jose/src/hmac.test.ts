import { createHmac } from "node:crypto";
import { FakeClock } from "@sluice/testing";
import fc from "fast-check";
import { base64url, decodeProtectedHeader, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { hmacCheck } from "./hmac.js";
import { JwtTokens } from "./jwt-tokens.js";

const secret = "an old secret of thirty-two bytes";
const other = "some other secret of as many bytes";
const hour = 3_600_000;
const alice = { id: "7", username: "alice", name: "Alice" };

function jwtTokens(current = secret, clock = new FakeClock()): JwtTokens {
  return new JwtTokens({ keys: { current, previous: [other] }, issuer: "sluice", audience: "chat", clock });
}

const issue = async (clock = new FakeClock()): Promise<string> =>
  (await jwtTokens(secret, clock).issue(alice, { expiresIn: hour })).token;

/** One that has verified a token: what is in our own words is verified at once from then on. */
async function usedTokens(): Promise<JwtTokens> {
  const tokens = jwtTokens();
  await tokens.verify(await issue());
  return tokens;
}

const text = new TextEncoder();

test("a check takes the HMAC-SHA-256 under its secret, in base64url, and no other", () => {
  const check = hmacCheck(text.encode(secret));
  const signature = createHmac("sha256", secret).update("a.b").digest("base64url");
  expect(check?.("a.b", signature)).toBe(true);
  for (const [input, given] of [
    ["a.c", signature],
    ["a.b", createHmac("sha256", other).update("a.b").digest("base64url")],
    ["a.b", signature.slice(1)],
    ["a.b", `${signature}A`],
    ["a.b", `${signature.slice(0, -1)}\u{100}`],
    ["a.b", ""],
  ] as const) {
    expect(check?.(input, given), given).toBe(false);
  }
});

test.each([{}, { process: {} }, { process: { getBuiltinModule: () => undefined } }])(
  "there is none where the runtime has no node:crypto: %j",
  (host) => {
    expect(hmacCheck(text.encode(secret), host)).toBeUndefined();
  },
);

describe("a token in our own words", () => {
  test("is verified at once from the second one on, and entitles to the same", async () => {
    const tokens = jwtTokens();
    const token = await issue();
    const first = tokens.verify(token);
    expect(first).toBeInstanceOf(Promise);
    expect(tokens.verify(token)).toBeInstanceOf(Promise);
    const grant = await first;
    expect(grant).toMatchObject({ user: alice });
    expect(tokens.verify(token)).toEqual(grant);
  });

  test("may be of a previous secret", async () => {
    const { token } = await jwtTokens(other).issue(alice, { expiresIn: hour });
    expect((await usedTokens()).verify(token)).toMatchObject({ user: alice });
  });

  test("is refused as by jose: expired, forged, under another key's name, cut", async () => {
    const tokens = await usedTokens();
    const token = await issue();
    const [header = "", payload = "", signature = ""] = token.split(".");
    const admin = base64url.encode(JSON.stringify({ sub: "1", username: "admin", name: "", jti: "j", exp: 4e9 }));
    const { token: ofOther } = await jwtTokens(other).issue(alice, { expiresIn: hour });
    for (const bad of [
      await issue(new FakeClock(new FakeClock().now() - 2 * hour)),
      `${header}.${admin}.${signature}`,
      `${header}.${ofOther.split(".").slice(1).join(".")}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.${signature}`,
      `${header}.${payload}.${"A".repeat(43)}`,
    ]) {
      expect(await tokens.verify(bad), bad).toBeUndefined();
      expect(await jwtTokens().verify(bad), bad).toBeUndefined();
    }
  });

  test("is judged by its claims as one whose header is in other words", async () => {
    const now = Math.floor(new FakeClock().now() / 1000);
    const moment = fc.oneof(fc.integer({ min: now - 10, max: now + 10 }), fc.constantFrom("1", null, 1e300, -1));
    const claim = fc.oneof(fc.constantFrom("sluice", "chat", "7", "", 7, null), fc.constant(["chat"]));
    const claims = fc.record(
      {
        iss: claim,
        aud: claim,
        sub: claim,
        jti: claim,
        username: claim,
        name: claim,
        exp: moment,
        nbf: moment,
        iat: moment,
      },
      { requiredKeys: [] },
    );
    const tokens = await usedTokens();
    const { alg, typ, kid } = decodeProtectedHeader(await issue());
    const good = { iss: "sluice", aud: "chat", sub: "7", jti: "j", username: "a", name: "A", exp: now + 9 };
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(claims, fc.boolean(), async (some, isMended) => {
        const payload = isMended ? { ...some, ...good } : { ...good, ...some };
        const sign = (header: object): Promise<string> =>
          new SignJWT(payload as never).setProtectedHeader(header as never).sign(text.encode(secret));
        const own = tokens.verify(await sign({ alg, typ, kid }));
        expect(own).not.toBeInstanceOf(Promise);
        expect(await tokens.verify(await sign({ kid, typ, alg }))).toEqual(own);
        if (own !== undefined) accepted += 1;
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(50);
  });
});
