import type { MaybePromise } from "../app.js";
import type { User } from "../auth/user.js";

/** What a token entitles to. */
export interface Grant<Who extends User = User> {
  readonly user: Who;
  /** Names the token without being it: a digest or a `jti`. Safe to log. */
  readonly tokenId: string;
  /** Milliseconds since 1970; undefined if it does not expire. */
  readonly expiresAt: number | undefined;
  /** Milliseconds since 1970; left out by a verifier that does not know. */
  readonly issuedAt?: number | undefined;
  /** Names the login that the token came from, which may have brought forth several: a `sid`. Safe to log. */
  readonly sessionId?: string | undefined;
  /** What the token is good for (RFC 6749 3.3): `["chat:write"]`. Nothing that asks for a scope, if left out. */
  readonly scopes?: readonly string[] | undefined;
}

/** Names the login that a grant comes from: its session, or the token itself where that is all there is. */
export function loginOf({ sessionId, tokenId }: Pick<Grant, "sessionId" | "tokenId">): string {
  return sessionId ?? tokenId;
}

/**
 * Says what a token entitles to, or undefined for one that is malformed, forged, expired or revoked. Must not throw
 * for any string; a rejection means that the verifier itself cannot work, and refuses the connection with 503.
 */
export interface TokenVerifier<Who extends User = User> {
  verify(token: string): MaybePromise<Grant<Who> | undefined>;
}
