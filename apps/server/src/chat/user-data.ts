/** A user as the chat's clients know one. */
export interface UserData {
  readonly id: string;
  readonly userName: string;
  readonly name: string;
}

/** What the API calls `username` is `userName` to the chat's clients. */
export function userData(user: { readonly id: string; readonly username: string; readonly name: string }): UserData {
  return { id: user.id, userName: user.username, name: user.name };
}
