import { type AccountUser, accountUser } from "../auth/account-user.js";
import type { UserStore } from "../ports/user-store.js";

/**
 * Finds the users of a store for `AuthMiddleware`. Those who are not active are nobody.
 *
 * @example
 * AuthMiddlewareStack({ store: database.sessions, findUser: activeAccounts(database.users), allowedHosts })
 */
export function activeAccounts(users: Pick<UserStore, "findById">): (id: string) => Promise<AccountUser | undefined> {
  return async (id) => {
    const record = await users.findById(id);
    return record?.isActive === true ? accountUser(record) : undefined;
  };
}
