import type { UserRecord } from "../ports/user-store.js";
import type { User } from "./user.js";

/** A user who has an account: what an application may know about them, and nothing it must keep secret. */
export interface AccountUser extends User {
  /** What others are shown; may be empty. */
  readonly name: string;
  readonly isSuperuser: boolean;
}

/** The user an account stands for. The password's hash stays behind. */
export function accountUser(record: UserRecord): AccountUser {
  return {
    isAuthenticated: true,
    id: record.id,
    username: record.username,
    name: record.name,
    isSuperuser: record.isSuperuser,
  };
}
