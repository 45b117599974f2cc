/** A session as it is kept: by the digest of its key, never by the key. */
export interface SessionRecord {
  /** SHA-256 of the key, hexadecimal. */
  readonly digest: string;
  /** Undefined for a session of nobody in particular. */
  readonly userId: string | undefined;
  /** What JSON can carry. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970, as are the others. */
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
}

/** Changes to a session's data, name by name: what two requests change at the same time does not get lost. */
export interface SessionChanges {
  readonly set: Readonly<Record<string, unknown>>;
  readonly remove: readonly string[];
}

export interface SessionStore {
  /** Does not judge expiry. */
  find(digest: string): Promise<SessionRecord | undefined>;
  /** Rejects if there is one of that digest already. May sweep those that had expired long before it was created. */
  create(session: SessionRecord): Promise<void>;
  /** Creates a session and removes another, of which it takes the place, both or neither. That may have gone already. */
  replace(digest: string, session: SessionRecord): Promise<void>;
  /** Changes the data. False if there is no such session any more: one that has ended does not come back by it. */
  save(digest: string, changes: SessionChanges): Promise<boolean>;
  /** Notes a use. */
  touch(digest: string, seenAt: number): Promise<void>;
  /** True if there was such a session. */
  remove(digest: string): Promise<boolean>;
  /** How many there were. */
  removeAllOf(userId: string): Promise<number>;
}
