import type { Grant } from "../ports/token-verifier.js";
import type { AnonymousUser, User } from "./user.js";

/** What `TokenAuth` adds to the scope where nobody gets past it without a token. */
export interface Authenticated<Who extends User = User> {
  readonly user: Who;
  readonly grant: Grant<Who>;
}

/** What `TokenAuth` adds to the scope where anonymous connections are let in. */
export interface MaybeAuthenticated<Who extends User = User> {
  readonly user: Who | AnonymousUser;
  readonly grant: Grant<Who> | undefined;
}
