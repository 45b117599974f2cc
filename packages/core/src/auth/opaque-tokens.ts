import type { MaybePromise } from "../app.js";
import type { Clock } from "../ports/clock.js";
import { type Digest, webDigest } from "../ports/digest.js";
import { type Logger, silentLogger } from "../ports/logger.js";
import type { FoundToken, TokenStore } from "../ports/token-store.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import { type AccountUser, accountUser } from "./account-user.js";
import { BatchedLookUps, type Found } from "./batched-look-ups.js";
import { isTokenShaped, randomToken } from "./random-token.js";

/** What {@link OpaqueTokens} needs. */
export interface OpaqueTokensOptions {
  readonly store: TokenStore;
  readonly clock: Clock;
  /** Told when the last use of tokens could not be noted. Silent if left out. */
  readonly logger?: Logger;
  /** What makes the digests that the store has: `webDigest` if left out. */
  readonly digest?: Digest | undefined;
}

/** A new token. This is the only time that `token` itself is at hand. */
export interface IssuedToken {
  /** 256 random bits in base64url (RFC 4648 5): 43 characters. Goes to the client and nowhere else. */
  readonly token: string;
  /** SHA-256 of the token, hexadecimal: names it without being it. Safe to log. */
  readonly digest: string;
}

/** How exact `lastUsedAt` is, in milliseconds: a busy token costs one write a minute. */
const lastUsedPrecision = 60_000;

/** How many tokens are looked up at a time: among some hundred, the way to the store and back costs each next to nothing. */
const lookUpLimit = 1_000;

/**
 * Issues and verifies random tokens that mean nothing by themselves: who holds one is looked up, so a token can be
 * taken back at once. The store keeps digests only; who reads it cannot use what they read.
 *
 * Tokens that are verified in the same turn of the event loop are looked up together, a thousand at most at a time: after a
 * restart, thousands of clients that come back at once cost a few queries.
 *
 * @example
 * const tokens = new OpaqueTokens({ store: database.tokens, clock: systemClock });
 * const { token } = await tokens.issue(user.id);
 * const grant = await tokens.verify(token); // { user: { username: "alice", ... }, ... }
 */
export class OpaqueTokens implements TokenVerifier<AccountUser> {
  readonly #store: TokenStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #digest: Digest;
  readonly #lookUps: BatchedLookUps<Grant<AccountUser>>;
  /** Digests whose use is being noted right now: a hundred reconnects at a time cost one write. */
  readonly #touching = new Set<string>();

  constructor(options: OpaqueTokensOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger ?? silentLogger;
    this.#digest = options.digest ?? webDigest;
    this.#lookUps = new BatchedLookUps((digests) => this.#lookUp(digests), lookUpLimit);
  }

  /**
   * Makes a token for a user. `expiresAt` is in milliseconds since 1970; without it the token does not expire. `userAgent` is
   * for the user, to recognize the login by.
   */
  async issue(
    userId: string,
    options: { readonly expiresAt?: number; readonly userAgent?: string | undefined } = {},
  ): Promise<IssuedToken> {
    const token = randomToken();
    const digest = await this.#digest(token);
    const { expiresAt, userAgent } = options;
    await this.#store.create({ digest, userId, createdAt: this.#clock.now(), expiresAt, userAgent });
    return { token, digest };
  }

  /** What the token entitles to; undefined for one that is malformed, unknown or expired, or of an inactive user. */
  verify(token: string): MaybePromise<Grant<AccountUser> | undefined> {
    return isTokenShaped(token) ? this.#lookUps.find(this.#digest(token)) : undefined;
  }

  /** Takes a token back. True if there was such a token. */
  async revoke(token: string): Promise<boolean> {
    return isTokenShaped(token) && this.#store.remove(await this.#digest(token));
  }

  async #lookUp(digests: readonly string[]): Promise<Found<Grant<AccountUser>>> {
    const found = await this.#store.findAll(digests);
    const now = this.#clock.now();
    const good = found.filter(
      ({ token, user }) => user.isActive && (token.expiresAt ?? Number.POSITIVE_INFINITY) > now,
    );
    // Not awaited: the note is for people who look at the list of tokens, and the connections need not wait for it.
    const stale = good.filter(({ token }) => now - (token.lastUsedAt ?? Number.NEGATIVE_INFINITY) >= lastUsedPrecision);
    void this.#touch(
      stale.map(({ token }) => token.digest).filter((digest) => !this.#touching.has(digest)),
      now,
    );
    return new Map(good.map((each) => [each.token.digest, grantOf(each)]));
  }

  async #touch(digests: readonly string[], usedAt: number): Promise<void> {
    if (digests.length === 0) return;
    for (const digest of digests) this.#touching.add(digest);
    try {
      await this.#store.touch(digests, usedAt);
    } catch (error) {
      this.#logger.warn({ err: error, tokens: digests.length }, "the last use of tokens could not be noted");
    } finally {
      for (const digest of digests) this.#touching.delete(digest);
    }
  }
}

function grantOf({ token, user }: FoundToken): Grant<AccountUser> {
  return { user: accountUser(user), tokenId: token.digest, expiresAt: token.expiresAt, issuedAt: token.createdAt };
}
