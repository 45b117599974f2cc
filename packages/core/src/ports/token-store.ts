import type { Grant } from "./token-verifier.js";
import type { UserRecord } from "./user-store.js";

/** An opaque token as it is kept: by its digest, never as itself. */
export interface TokenRecord {
  /** SHA-256 of the token, hexadecimal. */
  readonly digest: string;
  readonly userId: string;
  /** Milliseconds since 1970, as are the others. */
  readonly createdAt: number;
  readonly lastUsedAt: number | undefined;
  readonly expiresAt: number | undefined;
  /** What logged in, in its own words: the User-Agent header. Text of a stranger's, to be shown as nothing but text. */
  readonly userAgent: string | undefined;
}

/** A token and whose it is. */
export interface FoundToken {
  readonly token: TokenRecord;
  readonly user: UserRecord;
}

export interface TokenStore {
  create(token: Omit<TokenRecord, "lastUsedAt">): Promise<void>;
  /** The token and whose it is, in one look-up. Does not judge expiry. */
  find(digest: string): Promise<FoundToken | undefined>;
  /**
   * As `find` for many, a thousand and more, in one look-up. Each token that there is once, in any order, however often its
   * digest is named; those there are not are left out. For no digests the answer is empty, and nothing is asked.
   */
  findAll(digests: readonly string[]): Promise<readonly FoundToken[]>;
  /** Notes a use of each of these. One that another call is about to change may be left out. */
  touch(digests: readonly string[], usedAt: number): Promise<void>;
  /** True if there was such a token. */
  remove(digest: string): Promise<boolean>;
  /** The tokens of a user, `limit` at most: those that were made or used last, the last one first. Does not judge expiry. */
  listOf(userId: string, limit: number): Promise<readonly TokenRecord[]>;
  /** Removes the tokens of a user, all or all but the one with the digest `except`; how many there were. */
  removeAllOf(userId: string, except?: string): Promise<number>;
}

/**
 * Which self-contained tokens (JWTs) must not be accepted any more although they have not expired: a single one by its
 * id, those of a session that has ended, those of a user that were issued before a moment, those of an account that is
 * not active or not there.
 */
export interface RevocationStore {
  /** Takes back one token. Kept until `expiresAt` (milliseconds since 1970), when the token dies by itself. */
  revoke(tokenId: string, expiresAt: number): Promise<void>;
  /**
   * Takes back the tokens of a user that were issued before `time` (milliseconds since 1970), or do not say when. What was
   * taken back stays so: an earlier time after a later one changes nothing. Sessions go on, and bring forth new tokens,
   * until a `RefreshTokenStore` removes them.
   */
  revokeIssuedBefore(userId: string, time: number): Promise<void>;
  /**
   * Whether what the token entitles to is no good any more, for whichever reason, in one look-up. A grant with a
   * `sessionId` is good as long as the `RefreshTokenStore` beside this store has a family of that id.
   */
  isRevoked(grant: Grant): Promise<boolean>;
}
