import {
  type AccountUser,
  type Clock,
  ConfigurationError,
  type Grant,
  type MaybePromise,
  type RevocationStore,
  type TokenVerifier,
  type User,
} from "@sluice/core";
import {
  base64url,
  type CompactJWSHeaderParameters,
  errors,
  type JSONWebKeySet,
  type JWTClaimVerificationOptions,
  type JWTPayload,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from "jose";
import { grantClaims } from "./grant-claims.js";
import type { HmacCheck } from "./hmac.js";
import { type Key, type KeyRing, keyRingOf, publicKeysOf } from "./key-ring.js";
import type { Keys } from "./keys.js";
import { isTokenShaped, longestToken } from "./token-shape.js";

/** A user as a token tells of them: as they were when it was issued. */
export interface JwtUser extends User {
  /** What others are shown; may be empty. */
  readonly name: string;
}

export interface JwtTokensOptions {
  readonly keys: Keys;
  /** Who issues: the claim `iss`. */
  readonly issuer: string;
  /** Whom the tokens are for: the claim `aud`. A token for others is refused, whoever signed it. */
  readonly audience: string;
  readonly clock: Clock;
  /** By how much the clocks of issuer and verifier may differ, in milliseconds; 5000 if left out. */
  readonly clockTolerance?: number;
  /** Asked about each token that is otherwise good. Without one a token cannot be taken back. */
  readonly revocations?: Pick<RevocationStore, "isRevoked">;
}

/** A new token. */
export interface IssuedJwt {
  /** Goes to the client and nowhere else. */
  readonly token: string;
  /** Milliseconds since 1970. The claim `iat` has them as a fraction, so that a moment can lie between two tokens. */
  readonly issuedAt: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Names the token without being it: what a `RevocationStore` takes. Safe to log. */
  readonly jti: string;
}

/** What is to be in a token besides its user. */
export interface IssueOptions {
  /** Milliseconds; the time the token ends is rounded down to seconds. */
  readonly expiresIn: number;
  /** Names the login that the token comes from, so that all its tokens can be taken back together: the claim `sid`. */
  readonly sessionId?: string | undefined;
  /** What the token is good for: the claim `scope` (RFC 9068 2.2.3). */
  readonly scopes?: readonly string[] | undefined;
}

/** RFC 6749 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** The type of an access token (RFC 9068 2.1): other JWTs of the same issuer are not taken for one. */
const tokenType = "at+jwt";

/**
 * Issues and verifies tokens that say themselves who holds them, for how long: JSON Web Tokens (RFC 7519), as RFC 8725
 * would have them, with HS256, ES256 or EdDSA, by the kind of their key. Verification needs no look-up, and in return a
 * token stays good until it expires, unless a `RevocationStore` says otherwise.
 *
 * From the second one on, tokens under a secret are verified at once, without a promise, where the runtime has `node:crypto`
 * and nobody has to be asked about revocations.
 *
 * What a token's header offers of its own (`jwk`, `jku`, `x5c`, `x5u`) is not looked at; one with `crit` is refused.
 *
 * @example
 * const tokens = new JwtTokens({ keys: { current: secret }, issuer: "sluice", audience: "chat", clock: systemClock });
 * const { token } = await tokens.issue(user, { expiresIn: 3_600_000 });
 * const grant = await tokens.verify(token); // { user: { username: "alice", ... }, ... }
 * @example
 * // A private key signs; others verify what it has signed with what `jwks()` gives them.
 * new JwtTokens({ keys: { current: pem, previous: [pemOfBefore, secretOfBefore] }, issuer, audience, clock });
 */
export class JwtTokens implements TokenVerifier<JwtUser> {
  readonly #options: JwtTokensOptions;
  readonly #keyRing: () => Promise<KeyRing>;
  /** From the first verification on: who verifies at once what has one of our own headers. */
  #checks: ReadonlyMap<string, HmacCheck> | undefined;
  readonly #clockTolerance: number;

  /**
   * Throws `ConfigurationError` for a secret that is too short, a key of another kind, a public key that is to sign, an empty
   * issuer or audience, a negative tolerance. A key that is of the right kind but broken makes the methods reject with one.
   */
  constructor(options: JwtTokensOptions) {
    const { issuer, audience, clockTolerance = 5000 } = options;
    if (issuer === "" || audience === "")
      throw new ConfigurationError("expected an issuer and an audience, got an empty one");
    if (!Number.isFinite(clockTolerance) || clockTolerance < 0) {
      throw new ConfigurationError(`expected a clock tolerance in milliseconds from 0, got ${clockTolerance}`);
    }
    this.#options = options;
    this.#keyRing = keyRingOf(options.keys);
    this.#clockTolerance = clockTolerance;
  }

  /**
   * Makes a token for a user. Throws a `TypeError` for a time below a second, for a scope that is not a scope-token of
   * RFC 6749 3.3, and for what makes a token longer than 8192 characters.
   */
  async issue(
    user: Pick<AccountUser, "id" | "username" | "name">,
    { expiresIn, sessionId, scopes }: IssueOptions,
  ): Promise<IssuedJwt> {
    const bad = scopes?.find((scope) => !scopeToken.test(scope));
    if (bad !== undefined) throw new TypeError(`expected scopes without spaces and quotes, got ${JSON.stringify(bad)}`);
    if (!Number.isFinite(expiresIn) || expiresIn < 1000) {
      throw new TypeError(`expected expiresIn in milliseconds, at least 1000, got ${expiresIn}`);
    }
    const { issuer, audience, clock } = this.#options;
    const { current } = await this.#keyRing();
    const now = clock.now();
    const expiry = Math.floor((now + expiresIn) / 1000);
    const jti = crypto.randomUUID();
    const token = await new SignJWT({
      username: user.username,
      name: user.name,
      ...(sessionId === undefined ? {} : { sid: sessionId }),
      ...(scopes === undefined ? {} : { scope: scopes.join(" ") }),
    })
      .setProtectedHeader(headerOf(current))
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(user.id)
      .setJti(jti)
      .setIssuedAt(now / 1000)
      .setExpirationTime(expiry)
      .sign(current.signs);
    if (token.length > longestToken) {
      throw new TypeError(
        `expected a username and a name that fit into a token of ${longestToken} characters, got one of ${token.length}`,
      );
    }
    return { token, issuedAt: now, expiresAt: expiry * 1000, jti };
  }

  /** What the token entitles to; undefined for one that is malformed, forged, expired, revoked or not for us. */
  verify(token: string): MaybePromise<Grant<JwtUser> | undefined> {
    return isTokenShaped(token) ? this.#verify(token) : undefined;
  }

  /**
   * The public keys as a JWK Set (RFC 7517 5), for whoever is to verify our tokens: the current one and those of before. No
   * private key and no secret is in it, and so nothing at all where there are only secrets.
   */
  async jwks(): Promise<JSONWebKeySet> {
    return publicKeysOf(await this.#keyRing());
  }

  #verify(token: string): MaybePromise<Grant<JwtUser> | undefined> {
    const check = this.#checks?.get(token.slice(0, token.indexOf(".")));
    return check === undefined ? this.#verifyAny(token) : this.#unlessRevoked(grantOf(this.#ownClaims(token, check)));
  }

  /** A token with any header, under any key. */
  async #verifyAny(token: string): Promise<Grant<JwtUser> | undefined> {
    const ring = await this.#keyRing();
    this.#checks ??= checksOf(ring);
    return this.#unlessRevoked(grantOf(await this.#anyClaims(token, ring)));
  }

  #unlessRevoked(grant: Grant<JwtUser> | undefined): MaybePromise<Grant<JwtUser> | undefined> {
    const { revocations } = this.#options;
    if (grant === undefined || revocations === undefined) return grant;
    return revocations.isRevoked(grant).then((isRevoked) => (isRevoked ? undefined : grant));
  }

  async #anyClaims(token: string, ring: KeyRing): Promise<JWTPayload | undefined> {
    try {
      // Which algorithm a token may have is its key's to say.
      return (
        await jwtVerify(token, (header: CompactJWSHeaderParameters) => keyOf(ring, header), this.#claimsToCheck())
      ).payload;
    } catch (error) {
      return passUnlessBad(error);
    }
  }

  /** As jose has no door for a signature that is checked already, it is given the claims as those of an unsecured token. */
  #ownClaims(token: string, check: HmacCheck): JWTPayload | undefined {
    const end = token.lastIndexOf(".");
    const input = token.slice(0, end);
    if (!check(input, token.slice(end + 1))) return undefined;
    try {
      const unsecured = `${unsecuredHeader}${input.slice(input.indexOf("."))}.`;
      return UnsecuredJWT.decode(unsecured, this.#claimsToCheck()).payload;
    } catch (error) {
      return passUnlessBad(error);
    }
  }

  #claimsToCheck(): JWTClaimVerificationOptions {
    const { issuer, audience, clock } = this.#options;
    return {
      typ: tokenType,
      issuer,
      audience,
      currentDate: new Date(clock.now()),
      clockTolerance: this.#clockTolerance / 1000,
    };
  }
}

/** The header of a token that we issue. */
function headerOf({ algorithm, id }: Pick<Key, "algorithm" | "id">): { alg: string; typ: string; kid: string } {
  return { alg: algorithm, typ: tokenType, kid: id };
}

/** By the headers that our own tokens begin with, letter by letter: it says of which key it is, so none has to be read. */
function checksOf({ byId }: KeyRing): Map<string, HmacCheck> {
  const checks = new Map<string, HmacCheck>();
  for (const key of byId.values()) {
    if (key.check !== undefined) checks.set(base64url.encode(JSON.stringify(headerOf(key))), key.check);
  }
  return checks;
}

const unsecuredHeader = base64url.encode(JSON.stringify({ alg: "none", typ: tokenType }));

/** Undefined for what jose says of a bad token. */
function passUnlessBad(error: unknown): undefined {
  if (!(error instanceof errors.JOSEError)) throw error;
}

/**
 * Throws one of jose's errors for a token that names no key or an unknown one, another algorithm than the key's, or an
 * extension that it calls critical, also one that jose knows.
 */
function keyOf(ring: KeyRing, { kid, alg, crit }: CompactJWSHeaderParameters): CryptoKey {
  const key = ring.byId.get(kid);
  if (key === undefined || key.algorithm !== alg || crit !== undefined) throw new errors.JWKSNoMatchingKey();
  return key.verifies;
}

/** The grant that the claims make up; undefined if one of them is missing or not what it should be. */
function grantOf(claims: JWTPayload | undefined): Grant<JwtUser> | undefined {
  if (claims === undefined) return undefined;
  const { sub, username, name, jti, exp } = claims;
  if (typeof sub !== "string" || sub === "" || typeof jti !== "string" || jti === "") return undefined;
  if (typeof username !== "string" || typeof name !== "string" || exp === undefined) return undefined;
  const user: JwtUser = { isAuthenticated: true, id: sub, username, name };
  return Object.assign({ user, tokenId: jti, expiresAt: exp * 1000 }, grantClaims(claims));
}
