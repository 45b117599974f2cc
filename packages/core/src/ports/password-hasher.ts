/** Hashes passwords into PHC strings and checks them. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** False for a wrong password, and for a hash that is not one of this hasher's. */
  verify(hash: string, password: string): Promise<boolean>;
  /** True if the hash was made with weaker parameters than today's: hash again at the next login. */
  needsRehash(hash: string): boolean;
}
