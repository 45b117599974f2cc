import type { MaybePromise } from "../app.js";
import type { Clock } from "../ports/clock.js";
import { webDigest } from "../ports/digest.js";
import type { RefreshFamily, RefreshTokenStore } from "../ports/refresh-token-store.js";
import type { OnSecurityEvent, SecurityEvent } from "../ports/security-events.js";
import { steadyListener } from "../ports/steady-listener.js";
import type { UserRecord } from "../ports/user-store.js";
import type { Address } from "../scope.js";
import { checkRange } from "../session/check-range.js";
import { type AccountUser, accountUser } from "./account-user.js";
import { randomToken } from "./random-token.js";

/** What {@link RefreshTokens} needs. */
export interface RefreshTokensOptions {
  readonly store: RefreshTokenStore;
  readonly clock: Clock;
  /**
   * Told, once per family, that a token came back after its use: a thief has it, or had it, or the client has lost its way.
   * The family has ended; close what was opened with it. Where this rejects, so does `rotate`.
   */
  readonly onReuse: (reuse: RefreshTokenReuse) => MaybePromise<void>;
  /** Milliseconds that a family may rest before it ends: 14 days if left out. */
  readonly idleLifetime?: number;
  /** Milliseconds after its login when a family ends, however much it is used: 90 days if left out. */
  readonly absoluteLifetime?: number;
  /**
   * Milliseconds in which a used token is answered once more with the same next one, for a client that lost the answer and
   * for tabs that ask at the same time; 60,000 at most. Nobody gains a second line of tokens by it: whoever of two comes
   * later with the next one is found out then. 0 if left out: each token is good once.
   */
  readonly grace?: number;
  /** Told of each token that was taken (`renewal`), that was no good (`failure`), and that came back after its use (`reuse`). */
  readonly onSecurityEvent?: OnSecurityEvent | undefined;
}

/** Where a token comes from, for security events. A scope says it. */
export interface RefreshTokenUse {
  readonly client?: Address | undefined;
}

/** A new refresh token. This is the only time that `token` itself is at hand. */
export interface IssuedRefreshToken {
  /** 512 random bits in 107 characters. Goes to the client and nowhere else. */
  readonly token: string;
  /** Names the family: what access tokens are to carry as their session. Safe to log. */
  readonly sessionId: string;
  /** When it ends if it is not used, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The token that takes the place of one that was used, and what its access token is to say. */
export interface RotatedRefreshToken extends IssuedRefreshToken {
  /** As they are now. */
  readonly user: AccountUser;
  /** As they were at the login. */
  readonly scopes: readonly string[] | undefined;
}

/** Whose token was used again. Safe to log. */
export interface RefreshTokenReuse {
  readonly sessionId: string;
  readonly userId: string;
}

/** What all tokens of a family begin with: a random token. */
const familyLength = 43;

/** What security events call the way it came by. */
const carrier = "refresh token";

/** Behind it stands what is each token's own: a digest, so that it can be made from the one before. */
const tokenShape = /^[A-Za-z0-9_-]{43}[0-9a-f]{64}$/;

const day = 86_400_000;
const century = 36_525 * day;

/**
 * Issues refresh tokens, and takes each of them once, for the next one: they rotate (RFC 9700 4.14.2, RFC 6749 6). All
 * tokens of one login are a family. When a used one comes back the family ends, as nobody knows which of two holders is
 * the thief (RFC 6819 5.2.2.3); the one who has the good token has to log in too.
 *
 * A token is the name of its family, known to its holders only, and a secret of its own. So a family is one record however
 * often it is renewed, and any token of its past is recognized. The store keeps digests only.
 *
 * Removing a family from the store is what ends a login; a `RevocationStore` beside it then refuses its access tokens.
 *
 * @example
 * const onReuse = ({ sessionId }) => leases.revokeSession(sessionId, "revoked");
 * const refreshTokens = new RefreshTokens({ store: database.refreshTokens, clock: systemClock, onReuse });
 * const { token, sessionId } = await refreshTokens.issue(user.id);
 * const access = await jwt.issue(user, { expiresIn: 900_000, sessionId });
 *
 * const next = await refreshTokens.rotate(token); // { token, sessionId, user: { username: "alice", ... }, ... }
 */
export class RefreshTokens {
  readonly #store: RefreshTokenStore;
  readonly #clock: Clock;
  readonly #onReuse: RefreshTokensOptions["onReuse"];
  readonly #idleLifetime: number;
  readonly #absoluteLifetime: number;
  readonly #grace: number;
  readonly #tell: ((event: SecurityEvent) => void) | undefined;

  /** Throws `ConfigurationError` for a number out of range. */
  constructor(options: RefreshTokensOptions) {
    const { store, clock, onReuse, idleLifetime = 14 * day, absoluteLifetime = 90 * day, grace = 0 } = options;
    checkRange("idleLifetime", idleLifetime, 1_000, century);
    checkRange("absoluteLifetime", absoluteLifetime, 1_000, century);
    checkRange("grace", grace, 0, 60_000);
    this.#store = store;
    this.#clock = clock;
    this.#onReuse = onReuse;
    this.#idleLifetime = idleLifetime;
    this.#absoluteLifetime = absoluteLifetime;
    this.#grace = grace;
    this.#tell = steadyListener(options.onSecurityEvent);
  }

  /**
   * Begins a family: somebody has just logged in. `scopes` are what its access tokens are to be good for, `userAgent` is for
   * the user, to recognize the login by.
   */
  async issue(
    userId: string,
    options: { readonly scopes?: readonly string[]; readonly userAgent?: string | undefined } = {},
  ): Promise<IssuedRefreshToken> {
    const family = randomToken();
    const secret = await webDigest(randomToken());
    const [id, current] = await Promise.all([webDigest(family), webDigest(secret)]);
    const createdAt = this.#clock.now();
    const expiresAt = this.#expiryOf(createdAt, createdAt);
    await this.#store.create({
      id,
      userId,
      scopes: options.scopes,
      userAgent: options.userAgent,
      createdAt,
      lastUsedAt: createdAt,
      expiresAt,
      current,
      previous: undefined,
    });
    return { token: family + secret, sessionId: id, expiresAt };
  }

  /**
   * Uses a token up and gives the next one. Undefined for one that is malformed or unknown, whose family has ended or
   * expired, or whose user is not active; and for one that was used before, by which its family ends. Of many who bring one
   * token at the same time one is given the next, which does not help them: the others end the family.
   */
  async rotate(token: string, { client }: RefreshTokenUse = {}): Promise<RotatedRefreshToken | undefined> {
    const next = await this.#rotate(token, client?.host);
    if (next === "reused") return undefined;
    if (next === undefined) {
      this.#tell?.({ type: "failure", reason: "invalid_grant", carrier, client: client?.host });
      return undefined;
    }
    this.#tell?.({ type: "renewal", userId: next.user.id, sessionId: next.sessionId, carrier, client: client?.host });
    return next;
  }

  async #rotate(token: string, client: string | undefined): Promise<RotatedRefreshToken | "reused" | undefined> {
    if (!tokenShape.test(token)) return undefined;
    const name = token.slice(0, familyLength);
    const secret = token.slice(familyLength);
    const [id, digest] = await Promise.all([webDigest(name), webDigest(secret)]);
    for (;;) {
      const found = await this.#store.find(id);
      const now = this.#clock.now();
      if (found === undefined || !found.user.isActive || found.family.expiresAt <= now) return undefined;
      const { family, user } = found;
      if (family.current !== digest) {
        const { previous } = family;
        if (previous?.digest !== digest || previous.until <= now) return this.#end(family, client);
        return rotated(family, user, name + (await webDigest(secret + previous.salt)));
      }
      const salt = randomToken();
      const next = await webDigest(secret + salt);
      const replacement = {
        current: await webDigest(next),
        previous: this.#grace === 0 ? undefined : { digest, salt, until: now + this.#grace },
        lastUsedAt: now,
        expiresAt: this.#expiryOf(family.createdAt, now),
      };
      const replaced = await this.#store.replace(id, digest, replacement);
      if (replaced) return rotated({ ...family, ...replacement }, user, name + next);
      // Somebody was faster, and no token becomes the current one twice: the next look decides.
    }
  }

  /** Undefined for a family that has ended already. */
  async #end({ id, userId }: RefreshFamily, client: string | undefined): Promise<"reused" | undefined> {
    if (!(await this.#store.remove(id))) return undefined;
    this.#tell?.({ type: "reuse", userId, sessionId: id, carrier, client });
    await this.#onReuse({ sessionId: id, userId });
    return "reused";
  }

  #expiryOf(createdAt: number, now: number): number {
    return Math.min(now + this.#idleLifetime, createdAt + this.#absoluteLifetime);
  }
}

function rotated({ id, expiresAt, scopes }: RefreshFamily, user: UserRecord, token: string): RotatedRefreshToken {
  return { token, sessionId: id, expiresAt, user: accountUser(user), scopes };
}
