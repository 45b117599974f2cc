import type { MaybePromise } from "../app.js";
import type { User } from "../auth/user.js";

/** What a token entitles to. */
export interface Grant<Who extends User = User> {
  readonly user: Who;
  /** Names the token without being it: a digest or a `jti`. Safe to log. */
  readonly tokenId: string;
  /** Milliseconds since 1970; undefined if it does not expire. */
  readonly expiresAt: number | undefined;
}

/**
 * Says what a token entitles to, or undefined for one that is malformed, forged, expired or revoked. Must not throw
 * for any string; a rejection means that the verifier itself cannot work, and refuses the connection with 503.
 */
export interface TokenVerifier<Who extends User = User> {
  verify(token: string): MaybePromise<Grant<Who> | undefined>;
}
