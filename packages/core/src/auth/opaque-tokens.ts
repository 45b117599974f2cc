import type { MaybePromise } from "../app.js";
import type { Clock } from "../ports/clock.js";
import { type Logger, silentLogger } from "../ports/logger.js";
import type { TokenStore } from "../ports/token-store.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import { type AccountUser, accountUser } from "./account-user.js";
import { digestOf, isTokenShaped, randomToken } from "./random-token.js";

/** What {@link OpaqueTokens} needs. */
export interface OpaqueTokensOptions {
  readonly store: TokenStore;
  readonly clock: Clock;
  /** Told when a token's last use could not be noted. Silent if left out. */
  readonly logger?: Logger;
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

/**
 * Issues and verifies random tokens that mean nothing by themselves: who holds one is looked up, so a token can be
 * taken back at once. The store keeps digests only; who reads it cannot use what they read.
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
  /** Digests whose use is being noted right now: a hundred reconnects at a time cost one write. */
  readonly #touching = new Set<string>();

  constructor(options: OpaqueTokensOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger ?? silentLogger;
  }

  /** Makes a token for a user. `expiresAt` is in milliseconds since 1970; without it the token does not expire. */
  async issue(userId: string, options: { readonly expiresAt?: number } = {}): Promise<IssuedToken> {
    const token = randomToken();
    const digest = await digestOf(token);
    await this.#store.create({ digest, userId, createdAt: this.#clock.now(), expiresAt: options.expiresAt });
    return { token, digest };
  }

  /** What the token entitles to; undefined for one that is malformed, unknown or expired, or of an inactive user. */
  verify(token: string): MaybePromise<Grant<AccountUser> | undefined> {
    return isTokenShaped(token) ? this.#lookUp(token) : undefined;
  }

  /** Takes a token back. True if there was such a token. */
  async revoke(token: string): Promise<boolean> {
    return isTokenShaped(token) && this.#store.remove(await digestOf(token));
  }

  async #lookUp(token: string): Promise<Grant<AccountUser> | undefined> {
    const digest = await digestOf(token);
    const found = await this.#store.find(digest);
    if (found === undefined || !found.user.isActive) return undefined;

    const { createdAt, expiresAt, lastUsedAt } = found.token;
    const now = this.#clock.now();
    if (expiresAt !== undefined && expiresAt <= now) return undefined;

    // Not awaited: the note is for people who look at the list of tokens, and the connection need not wait for it.
    const isStale = lastUsedAt === undefined || now - lastUsedAt >= lastUsedPrecision;
    if (isStale && !this.#touching.has(digest)) void this.#touch(digest, now);
    return { user: accountUser(found.user), tokenId: digest, expiresAt, issuedAt: createdAt };
  }

  async #touch(digest: string, usedAt: number): Promise<void> {
    this.#touching.add(digest);
    try {
      await this.#store.touch(digest, usedAt);
    } catch (error) {
      this.#logger.warn({ err: error, tokenId: digest }, "the last use of a token could not be noted");
    } finally {
      this.#touching.delete(digest);
    }
  }
}
