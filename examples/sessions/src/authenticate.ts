import { accountUser, type PasswordHasher, type UserStore } from "@sluice/core";

/** Finds the user of a name and a password. */
export async function passwordCheck(users: UserStore, hasher: PasswordHasher) {
  // As much work for a name that is nobody's.
  const decoy = await hasher.hash(crypto.randomUUID());
  return async (username: string, password: string) => {
    const account = await users.findByUsername(username);
    const isRight = await hasher.verify(account?.passwordHash ?? decoy, password);
    return isRight && account?.isActive === true ? accountUser(account) : undefined;
  };
}
