/** An account as it is kept. */
export interface UserRecord {
  readonly id: string;
  /** As it was typed at registration; unique without regard to case. */
  readonly username: string;
  /** What others are shown; may be empty. */
  readonly name: string;
  /** A PHC string. */
  readonly passwordHash: string;
  readonly isActive: boolean;
  readonly isSuperuser: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface NewUser {
  readonly username: string;
  readonly name: string;
  readonly passwordHash: string;
  readonly isSuperuser?: boolean;
}

export interface UserStore {
  /** Rejects with `UsernameTaken`, also when two callers race for a name. */
  create(user: NewUser): Promise<UserRecord>;
  findById(id: string): Promise<UserRecord | undefined>;
  /** Without regard to case. */
  findByUsername(username: string): Promise<UserRecord | undefined>;
  /**
   * False if there is no such user, or their hash is not `expected` any more, where that is given: of many who change the same
   * password at a time one does.
   */
  setPasswordHash(id: string, passwordHash: string, expected?: string): Promise<boolean>;
  /** Whether the user may log in. False if there is no such user. */
  setActive(id: string, isActive: boolean): Promise<boolean>;
}
