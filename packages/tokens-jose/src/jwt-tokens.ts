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

const algorithm = "HS256";

/** RFC 6749 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

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
      .setProtectedHeader({ alg: algorithm, typ: tokenType, kid: current.id })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(user.id)
      .setJti(jti)
      .setIssuedAt(now / 1000)
      .setExpirationTime(expiry)
      .sign(current.key);
    if (token.length > longestToken) {
      throw new TypeError(
        `expected a username and a name that fit into a token of ${longestToken} characters, got one of ${token.length}`,
      );
    }
    return { token, issuedAt: now, expiresAt: expiry * 1000, jti };
  }

  /** What the token entitles to; undefined for one that is malformed, forged, expired, revoked or not for us. */
  verify(token: string): MaybePromise<Grant<JwtUser> | undefined> {
    return token.length <= longestToken && tokenShape.test(token) ? this.#verify(token) : undefined;
  }

  async #verify(token: string): Promise<Grant<JwtUser> | undefined> {
    const claims = await this.#claims(token);
    const grant = claims === undefined ? undefined : grantOf(claims);
    if (grant === undefined) return undefined;
    return (await this.#options.revocations?.isRevoked(grant)) ? undefined : grant;
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
function grantOf({ sub, username, name, jti, exp, iat, sid, scope }: JWTPayload): Grant<JwtUser> | undefined {
  if (typeof sub !== "string" || sub === "" || typeof jti !== "string" || jti === "") return undefined;
  if (typeof username !== "string" || typeof name !== "string" || exp === undefined) return undefined;
  return {
    user: { isAuthenticated: true, id: sub, username, name },
    tokenId: jti,
    expiresAt: exp * 1000,
    // A token without them is as good as one that never had them.
    ...(typeof iat === "number" ? { issuedAt: Math.round(iat * 1000) } : {}),
    ...(typeof sid === "string" && sid !== "" ? { sessionId: sid } : {}),
    ...(typeof scope === "string" ? { scopes: scope.split(" ").filter((each) => each !== "") } : {}),
  };
}
