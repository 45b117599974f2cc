/** Somebody who is known. Applications may carry more, by a type of their own that extends this one. */
export interface User {
  readonly isAuthenticated: true;
  readonly id: string;
  readonly username: string;
}

/** Nobody in particular. */
export interface AnonymousUser {
  readonly isAuthenticated: false;
  readonly id: undefined;
  readonly username: "";
}

export const anonymousUser: AnonymousUser = Object.freeze({ isAuthenticated: false, id: undefined, username: "" });
