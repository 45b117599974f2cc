import type { Grant } from "../ports/token-verifier.js";
import type { AnonymousUser, User } from "./user.js";

/** What a connection is on after a renewal. */
export interface Renewed<Who extends User = User> {
  readonly grant: Grant<Who>;
  /** Whole seconds until it expires (RFC 6749 5.1); undefined if it does not. */
  readonly expiresIn: number | undefined;
}

/**
 * Puts another token in the place of the one that a WebSocket was opened with: one of the same user, or of anybody where the
 * connection is still anonymous, which is so once. From then on the connection lives as long as the new token.
 *
 * Rejects with a `Refusal`, and then everything is as it was: `invalid_token`, also for one that was revoked meanwhile and
 * for a connection that is over; `user_mismatch`; `temporarily_unavailable` where the verifier cannot work. `check` throws
 * what else a new grant is to be refused for: a middleware that lets in by the grant hands on a `renew` that checks it again,
 * as `requireScope` does.
 *
 * The scope that it stands in is plain data and stays as it is. Consumers renew by a method of their own, which gives them
 * a new one.
 */
export type Renew<Who extends User = User> = (
  token: string,
  check?: (grant: Grant<Who>) => void,
) => Promise<Renewed<Who>>;

/** What `TokenAuth` adds to the scope where nobody gets past it without a token. */
export interface Authenticated<Who extends User = User> {
  readonly user: Who;
  readonly grant: Grant<Who>;
  /** Of a WebSocket. A request has no time to renew anything. */
  readonly renew?: Renew<Who> | undefined;
}

/** What `TokenAuth` adds to the scope where anonymous connections are let in. */
export interface MaybeAuthenticated<Who extends User = User> {
  readonly user: Who | AnonymousUser;
  readonly grant: Grant<Who> | undefined;
  /** As in {@link Authenticated}. */
  readonly renew?: Renew<Who> | undefined;
}
