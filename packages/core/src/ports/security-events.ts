import type { MaybePromise } from "../app.js";

/** Who and where, as far as it is known where the event comes from. Nothing in it is secret. */
interface Circumstances {
  readonly userId?: string | undefined;
  /** Names the token without being it: `Grant.tokenId`. */
  readonly tokenId?: string | undefined;
  /** Names the login that the token came from: `Grant.sessionId`. */
  readonly sessionId?: string | undefined;
  /** The name of the carrier that a credential came by: `"header"`, `"ticket"`, `"first message"`; `"session"` for `login()`. */
  readonly carrier?: string | undefined;
  /** The client's address without its port, as the transport or a trusted proxy tells it. */
  readonly client?: string | undefined;
  readonly protocol?: "http" | "websocket" | undefined;
}

/** A credential was good: a request or a handshake is a user's, or somebody has logged in. */
export interface LoginEvent extends Circumstances {
  readonly type: "login";
  readonly userId: string;
}

/** A credential was no good. Whose it would have been is known of a password, and of a token that is another user's. */
export interface FailureEvent extends Circumstances {
  readonly type: "failure";
  /**
   * A token that is malformed, forged, expired or revoked (RFC 6750 3.1); a refresh token that is (RFC 6749 5.2); a name and
   * a password; a renewal by another user's token.
   */
  readonly reason: "invalid_token" | "invalid_grant" | "invalid_credentials" | "user_mismatch";
}

/** Somebody may not do what they asked for, whatever their credential, or for want of one. */
export interface RefusalEvent extends Circumstances {
  readonly type: "refusal";
  /**
   * No token; different ones in one request; a scope that the token does not have (RFC 6750 3.1); a verifier that cannot
   * work; no token in the first message in time; a page of a foreign origin that opens a WebSocket; a request that another
   * site's page may have made, with a session's cookie.
   */
  readonly reason:
    | "not_authenticated"
    | "invalid_request"
    | "insufficient_scope"
    | "temporarily_unavailable"
    | "timeout"
    | "origin"
    | "cross_site";
  /** What a token would need, for want of a scope: names with spaces between them. */
  readonly scope?: string | undefined;
}

/** Credentials are no good any more. Which ones, the id says that is there: a token's, a session's or a user's. */
export interface RevocationEvent extends Circumstances {
  readonly type: "revocation";
  readonly of: "token" | "session" | "user";
  readonly reason: "revoked" | "expired" | "logged_out" | "password_changed" | "disabled";
  /** Of a user's, those that were issued before this time only, in milliseconds since 1970. */
  readonly issuedBefore?: number | undefined;
  /** How many connections of this process it has ended. */
  readonly closed: number;
  /** True where another process has revoked them, which is told of if it has ended connections here. */
  readonly elsewhere: boolean;
}

/** A credential took the place of another: on an open WebSocket, or by a refresh token. */
export interface RenewalEvent extends Circumstances {
  readonly type: "renewal";
  readonly userId: string;
}

/** A refresh token came back after its use, which ends its session: a thief has it or had it, or the client has lost its way. */
export interface ReuseEvent extends Circumstances {
  readonly type: "reuse";
  readonly userId: string;
  readonly sessionId: string;
}

/** Somebody does more than they may: refused, put off, or closed. */
export interface LimitEvent extends Circumstances {
  readonly type: "limit";
  /** `"messages"` and `"connections"` of `limitMessages` and `limitConnections`; applications have their own. */
  readonly limit: string;
}

/** Something that decides who gets in, or for how long. `switch (event.type)` narrows. */
export type SecurityEvent =
  | LoginEvent
  | FailureEvent
  | RefusalEvent
  | RevocationEvent
  | RenewalEvent
  | ReuseEvent
  | LimitEvent;

/**
 * Told of each event as it happens: its time is now. Nobody waits for it, and what it throws or rejects with is dropped. No
 * event has a token, a ticket, a password, a cookie or an Origin in it, nor a name that was typed at a login that failed.
 */
export type OnSecurityEvent = (event: SecurityEvent) => MaybePromise<void>;
