import type { UserRecord } from "./user-store.js";

/**
 * A login and the refresh tokens that have come from it, one after the other: each is good for one use, and only the last
 * one is good. Tokens are kept as digests (SHA-256, hexadecimal), never as themselves.
 */
export interface RefreshFamily {
  /** The digest of what all its tokens begin with. Names the session: the `sid` of its access tokens. */
  readonly id: string;
  readonly userId: string;
  /** What its access tokens are good for (RFC 6749 3.3); undefined if nothing is said of it. */
  readonly scopes: readonly string[] | undefined;
  /** Milliseconds since 1970, as are the others. */
  readonly createdAt: number;
  /** When its last token was issued: at the login, or by a rotation. */
  readonly lastUsedAt: number;
  /** What logged in, in its own words: the User-Agent header. Text of a stranger's, to be shown as nothing but text. */
  readonly userAgent: string | undefined;
  /** When it ends if it is not used. */
  readonly expiresAt: number;
  /** The digest of the token that is good. */
  readonly current: string;
  /** The token before, while the answer to it may be given again. */
  readonly previous: ReplayableToken | undefined;
}

/** A used token, and what leads from it to the one after. */
export interface ReplayableToken {
  readonly digest: string;
  /** Makes the next token together with this one; without this one it is worth nothing. */
  readonly salt: string;
  readonly until: number;
}

export interface RefreshTokenStore {
  create(family: RefreshFamily): Promise<void>;
  /** The family and whose it is, in one look-up. Does not judge expiry. */
  find(id: string): Promise<{ readonly family: RefreshFamily; readonly user: UserRecord } | undefined>;
  /**
   * Puts another token in the place of `current`, in one step: of many who try at once one succeeds. False if `current` is
   * not the family's token any more, or there is no such family.
   */
  replace(
    id: string,
    current: string,
    next: Pick<RefreshFamily, "current" | "previous" | "lastUsedAt" | "expiresAt">,
  ): Promise<boolean>;
  /** Ends a family. True for the one who did. */
  remove(id: string): Promise<boolean>;
  /** The families of a user, `limit` at most: those that were used last, the last one first. Does not judge expiry. */
  listOf(userId: string, limit: number): Promise<readonly RefreshFamily[]>;
  /** Ends the families of a user, all or all but the one with the id `except`; how many there were. */
  removeAllOf(userId: string, except?: string): Promise<number>;
}
