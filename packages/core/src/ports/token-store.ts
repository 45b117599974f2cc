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
}

export interface TokenStore {
  create(token: Pick<TokenRecord, "digest" | "userId" | "createdAt" | "expiresAt">): Promise<void>;
  /** The token and whose it is, in one look-up. Does not judge expiry. */
  find(digest: string): Promise<{ readonly token: TokenRecord; readonly user: UserRecord } | undefined>;
  /** Notes a use. */
  touch(digest: string, usedAt: number): Promise<void>;
  /** True if there was such a token. */
  remove(digest: string): Promise<boolean>;
  /** How many there were. */
  removeAllOf(userId: string): Promise<number>;
}

/** Ids of self-contained tokens (a JWT's `jti`) that must not be accepted any more although they have not expired. */
export interface RevocationStore {
  /** Kept until `expiresAt` (milliseconds since 1970), when the token dies by itself. */
  revoke(tokenId: string, expiresAt: number): Promise<void>;
  isRevoked(tokenId: string): Promise<boolean>;
}
