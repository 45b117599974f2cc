import type { Member } from "../services.js";

/** A user as the chat's clients know one. */
export interface UserData {
  readonly id: string;
  readonly userName: string;
  readonly name: string;
}

export function userData(user: Pick<Member, "id" | "username" | "name">): UserData {
  return { id: user.id, userName: user.username, name: user.name };
}
