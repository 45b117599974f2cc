import {
  type Clock,
  ConfigurationError,
  type Grant,
  type MaybePromise,
  systemClock,
  type TokenVerifier,
  type User,
  webDigest,
} from "@sluice/core";
import { errors, type JWTPayload, jwtVerify } from "jose";
import { grantClaims } from "./grant-claims.js";
import { RemoteKeys } from "./remote-keys.js";
import { isTokenShaped } from "./token-shape.js";

/** The algorithms of RFC 7518 3.1, RFC 8037 and RFC 9864 that verify with a public key. */
const asymmetricAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

export type JwksAlgorithm = (typeof asymmetricAlgorithms)[number];

/** Claims whose signature, times, issuer and audience are good. What else is in them is the issuer's word. */
export type VerifiedClaims = JWTPayload & { readonly iss: string; readonly exp: number };

export interface JwksTokensOptions<Who extends User> {
  /** Where the issuer's keys are: its `jwks_uri`. `https:`, or `http:` on this machine. */
  readonly jwksUrl: string | URL;
  /** Who issues: the claim `iss`, to the letter. */
  readonly issuer: string;
  /** Whom the tokens are for: one of these has to be in the claim `aud`. */
  readonly audience: string | readonly string[];
  /** What the issuer signs with. Other algorithms are refused, whatever keys there are (RFC 8725 3.1). */
  readonly algorithms: readonly JwksAlgorithm[];
  /**
   * The header's `typ`: `"at+jwt"` where the issuer keeps to RFC 9068. Without it any JWT of the issuer's for this audience
   * is taken, an ID token as well.
   */
  readonly typ?: string;
  /** Claims that have to be there besides `iss`, `aud` and `exp`. What is in them is for `user` to judge. */
  readonly requiredClaims?: readonly string[];
  /** Whose the token is; undefined for nobody who may come in. What it throws refuses with 503. */
  readonly user: (claims: VerifiedClaims) => MaybePromise<Who | undefined>;
  /** Asked about each token that is otherwise good: for those that must not wait for their end. */
  readonly isRevoked?: (grant: Grant<Who>) => MaybePromise<boolean>;
  readonly clock?: Clock;
  /** By how much the issuer's clock may differ, in milliseconds; 5000 if left out. */
  readonly clockTolerance?: number;
  /** Milliseconds for which keys are used before they are fetched again; 600,000 if left out. */
  readonly cacheMaxAge?: number;
  /**
   * Milliseconds for which they are used on top of that while the issuer cannot be reached; 3,600,000 if left out, 0 for
   * not at all. For as long, a key that the issuer has withdrawn may still be good.
   */
  readonly staleIfError?: number;
  /**
   * Milliseconds after a fetch in which a token that names an unknown key is refused without another one; 30,000 if left
   * out.
   */
  readonly cooldown?: number;
  /** Milliseconds that a fetch may take, to the last byte; 5000 if left out. */
  readonly timeout?: number;
  /** Bytes that the JWK Set may have, decompressed; 131,072 if left out. */
  readonly maxSize?: number;
}

/**
 * Verifies the JWTs of somebody else, such as an OpenID provider, with the public keys that it publishes as a JWK Set
 * (RFC 7517): access tokens of RFC 9068 and those that resemble them. A token needs an end (`exp`).
 *
 * Keys come from `jwksUrl` and from nowhere else: what a token's header offers (`jwk`, `jku`, `x5c`, `x5u`) is not looked
 * at, and one with `crit` is refused. `verify` rejects with `KeysUnavailable` where keys are needed and cannot be had.
 *
 * In the grant, `tokenId` is the `jti`, or a digest where there is none; `sessionId` is the `sid`; scopes are those of `scope`
 * or `scp`.
 *
 * @example
 * const verifier = new JwksTokens({
 *   jwksUrl: "https://id.example.com/jwks",
 *   issuer: "https://id.example.com",
 *   audience: "https://chat.example.com",
 *   algorithms: ["RS256"],
 *   typ: "at+jwt",
 *   user: ({ sub, email }) =>
 *     sub === undefined ? undefined : { isAuthenticated: true, id: sub, username: String(email ?? sub) },
 * });
 */
export class JwksTokens<Who extends User> implements TokenVerifier<Who> {
  readonly #options: JwksTokensOptions<Who>;
  readonly #keys: RemoteKeys;
  readonly #clock: Clock;
  readonly #clockTolerance: number;

  /** Throws `ConfigurationError` for a URL, an algorithm or a number that is of no use, and for an empty text or list. */
  constructor(options: JwksTokensOptions<Who>) {
    const { clock = systemClock, clockTolerance = 5000, cacheMaxAge = 600_000, staleIfError = 3_600_000 } = options;
    const { cooldown = 30_000, timeout = 5000, maxSize = 131_072 } = options;
    checkTexts(options);
    checkAlgorithms(options.algorithms);
    checkNumbers({ clockTolerance, cacheMaxAge, staleIfError, cooldown }, 0);
    checkNumbers({ timeout, maxSize }, 1);
    const url = checkedUrl(options.jwksUrl);
    this.#options = options;
    this.#clock = clock;
    this.#clockTolerance = clockTolerance;
    this.#keys = new RemoteKeys({ url, clock, cacheMaxAge, staleIfError, cooldown, timeout, maxSize });
  }

  /** What the token entitles to; undefined for one that is malformed, forged, expired, revoked, not for us, or nobody's. */
  verify(token: string): MaybePromise<Grant<Who> | undefined> {
    return isTokenShaped(token) ? this.#verify(token) : undefined;
  }

  async #verify(token: string): Promise<Grant<Who> | undefined> {
    const claims = await this.#claims(token);
    if (claims === undefined) return undefined;
    const user = await this.#options.user(claims);
    if (user === undefined) return undefined;
    const tokenId = typeof claims.jti === "string" && claims.jti !== "" ? claims.jti : await digestOf(token);
    const grant = { user, tokenId, expiresAt: claims.exp * 1000, ...grantClaims(claims) };
    return (await this.#options.isRevoked?.(grant)) ? undefined : grant;
  }

  async #claims(token: string): Promise<VerifiedClaims | undefined> {
    const { issuer, audience, algorithms, typ, requiredClaims = [] } = this.#options;
    try {
      const { payload } = await jwtVerify<VerifiedClaims>(
        token,
        (header, jws) => {
          if (header.crit !== undefined) throw new errors.JOSENotSupported("expected no critical extension");
          return this.#keys.find(header, jws);
        },
        {
          algorithms: [...algorithms],
          issuer,
          audience: [audience].flat(),
          requiredClaims: ["exp", ...requiredClaims],
          currentDate: new Date(this.#clock.now()),
          clockTolerance: this.#clockTolerance / 1000,
          ...(typ === undefined ? {} : { typ }),
        },
      );
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}

/** Names a token by what is signed of it: a signature may have several spellings that are all good. */
function digestOf(token: string): MaybePromise<string> {
  return webDigest(token.slice(0, token.lastIndexOf(".")));
}

type Texts = Pick<JwksTokensOptions<User>, "issuer" | "audience" | "typ" | "requiredClaims">;

function checkTexts({ issuer, audience, typ, requiredClaims = [] }: Texts): void {
  const audiences = [audience].flat();
  if (issuer === "" || audiences.length === 0 || typ === "" || [...audiences, ...requiredClaims].includes("")) {
    throw new ConfigurationError(
      "expected an issuer, an audience, and a typ and required claims if any; got an empty one",
    );
  }
}

function checkAlgorithms(algorithms: readonly string[]): void {
  const known: readonly string[] = asymmetricAlgorithms;
  if (algorithms.length > 0 && algorithms.every((algorithm) => known.includes(algorithm))) return;
  throw new ConfigurationError(
    `expected algorithms that verify with a public key, such as ["RS256"], got ${JSON.stringify(algorithms)}`,
  );
}

function checkNumbers(numbers: Readonly<Record<string, number>>, lowest: number): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (Number.isSafeInteger(value) && value >= lowest) continue;
    throw new ConfigurationError(`expected ${name} to be a whole number from ${lowest}, got ${value}`);
  }
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Over plain HTTP anybody on the way could put a key in place. */
function checkedUrl(given: string | URL): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol === "https:" || (url?.protocol === "http:" && loopback.test(url.hostname))) {
    if (url.username === "" && url.password === "") return url;
  }
  throw new ConfigurationError("expected jwksUrl with https:, or http: on this machine, and without a password");
}
