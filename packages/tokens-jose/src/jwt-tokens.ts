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
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { type KeyRing, keyRingOf, type Secrets } from "./key-ring.js";

/** A user as a token tells of them: as they were when it was issued. */
export interface JwtUser extends User {
  /** What others are shown; may be empty. */
  readonly name: string;
}

export interface JwtTokensOptions {
  readonly secrets: Secrets;
  /** Who issues: the claim `iss`. */
  readonly issuer: string;
  /** Whom the tokens are for: the claim `aud`. A token for others is refused, whoever signed it. */
  readonly audience: string;
  readonly clock: Clock;
  /** By how much the clocks of issuer and verifier may differ, in milliseconds; 5000 if left out. */
  readonly clockTolerance?: number;
  /** Asked about each token that is otherwise good. Without one a token cannot be taken back. */
  readonly revocations?: RevocationStore;
}

/** A new token. */
export interface IssuedJwt {
  /** Goes to the client and nowhere else. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Names the token without being it: what a `RevocationStore` takes. Safe to log. */
  readonly jti: string;
}

const algorithm = "HS256";

/** The type of an access token (RFC 9068 2.1): other JWTs of the same issuer are not taken for one. */
const tokenType = "at+jwt";

/** In characters. What is longer is refused before it costs anything, and would not fit into a header anyway. */
const longestToken = 8192;

/**
 * Three parts in base64url, the last of which is an HMAC-SHA-256. Its last digit carries four bits, so that only one
 * spelling of a signature passes.
 */
const tokenShape = /^[\w-]+\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Issues and verifies tokens that say themselves who holds them, for how long: JSON Web Tokens (RFC 7519) with an
 * HMAC-SHA-256, as RFC 8725 would have them. Verification needs no look-up, and in return a token stays good until it
 * expires, unless a `RevocationStore` says otherwise.
 *
 * What a token's header offers of its own (`jwk`, `jku`, `x5u`) is not looked at; one with `crit` is refused.
 *
 * @example
 * const tokens = new JwtTokens({ secrets: { current: secret }, issuer: "sluice", audience: "chat", clock: systemClock });
 * const { token } = await tokens.issue(user, { expiresIn: 3_600_000 });
 * const grant = await tokens.verify(token); // { user: { username: "alice", ... }, ... }
 */
export class JwtTokens implements TokenVerifier<JwtUser> {
  readonly #options: JwtTokensOptions;
  readonly #keyRing: () => Promise<KeyRing>;
  readonly #clockTolerance: number;

  /** Throws `ConfigurationError` for a secret that is too short, an empty issuer or audience, a negative tolerance. */
  constructor(options: JwtTokensOptions) {
    const { issuer, audience, clockTolerance = 5000 } = options;
    if (issuer === "" || audience === "")
      throw new ConfigurationError("expected an issuer and an audience, got an empty one");
    if (!Number.isFinite(clockTolerance) || clockTolerance < 0) {
      throw new ConfigurationError(`expected a clock tolerance in milliseconds from 0, got ${clockTolerance}`);
    }
    this.#options = options;
    this.#keyRing = keyRingOf(options.secrets);
    this.#clockTolerance = clockTolerance;
  }

  /** Makes a token for a user. `expiresIn` is in milliseconds; the time it ends is rounded down to seconds. */
  async issue(
    user: Pick<AccountUser, "id" | "username" | "name">,
    { expiresIn }: { readonly expiresIn: number },
  ): Promise<IssuedJwt> {
    if (!Number.isFinite(expiresIn) || expiresIn < 1000) {
      throw new TypeError(`expected expiresIn in milliseconds, at least 1000, got ${expiresIn}`);
    }
    const { issuer, audience, clock } = this.#options;
    const { current } = await this.#keyRing();
    const now = clock.now();
    const expiry = Math.floor((now + expiresIn) / 1000);
    const jti = crypto.randomUUID();
    const token = await new SignJWT({ username: user.username, name: user.name })
      .setProtectedHeader({ alg: algorithm, typ: tokenType, kid: current.id })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(user.id)
      .setJti(jti)
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(expiry)
      .sign(current.key);
    if (token.length > longestToken) {
      throw new TypeError(
        `expected a username and a name that fit into a token of ${longestToken} characters, got one of ${token.length}`,
      );
    }
    return { token, expiresAt: expiry * 1000, jti };
  }

  /** What the token entitles to; undefined for one that is malformed, forged, expired, revoked or not for us. */
  verify(token: string): MaybePromise<Grant<JwtUser> | undefined> {
    return token.length <= longestToken && tokenShape.test(token) ? this.#verify(token) : undefined;
  }

  async #verify(token: string): Promise<Grant<JwtUser> | undefined> {
    const claims = await this.#claims(token);
    const grant = claims === undefined ? undefined : grantOf(claims);
    if (grant === undefined) return undefined;
    return (await this.#options.revocations?.isRevoked(grant.tokenId)) ? undefined : grant;
  }

  async #claims(token: string): Promise<JWTPayload | undefined> {
    const { issuer, audience, clock } = this.#options;
    const ring = await this.#keyRing();
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => keyOf(ring, kid), {
        algorithms: [algorithm],
        typ: tokenType,
        issuer,
        audience,
        currentDate: new Date(clock.now()),
        clockTolerance: this.#clockTolerance / 1000,
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}

/** Throws one of jose's errors for a token that names no key or an unknown one. */
function keyOf(ring: KeyRing, id: unknown): CryptoKey {
  const key = ring.byId.get(id);
  if (key === undefined) throw new errors.JWKSNoMatchingKey();
  return key;
}

/** The grant that the claims make up; undefined if one of them is missing or not what it should be. */
function grantOf({ sub, username, name, jti, exp }: JWTPayload): Grant<JwtUser> | undefined {
  if (typeof sub !== "string" || sub === "" || typeof jti !== "string" || jti === "") return undefined;
  if (typeof username !== "string" || typeof name !== "string" || exp === undefined) return undefined;
  return { user: { isAuthenticated: true, id: sub, username, name }, tokenId: jti, expiresAt: exp * 1000 };
}
