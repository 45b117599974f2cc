/** What the processes tell each other of leases: messages of the channel layer, from outside as far as types go. */
import type { LayerMessage } from "../ports/channel-layer.js";
import { loginOf } from "../ports/token-verifier.js";
import { type Held, type LeaseEnd, leaseEnds } from "./lease.js";

/** That credentials are no good any more. */
export interface Revocation {
  readonly of: "token" | "session" | "user";
  /** Of the token, the session or the user. */
  readonly id: string;
  readonly reason: LeaseEnd;
  /** Of a user's, only those issued before this time, in milliseconds since 1970. Null: all of them. */
  readonly issuedBefore: number | null;
  /** Of a user's, the login that goes on. Null or left out: none. */
  readonly except?: string | null;
}

/** A process says that it is there, mostly to itself. */
export interface Beat {
  readonly type: "lease.beat";
  readonly from: string;
}

export interface Revoke extends Revocation {
  readonly type: "lease.revoke";
  readonly from: string;
}

/** A process asks the others for the connections of a user; the answers are to go to a channel. */
export interface Ask {
  readonly type: "lease.ask";
  readonly from: string;
  /** Of the asking process's own, for the answers. */
  readonly ask: number;
  readonly user: string;
  readonly channel: string;
}

/** How many connections a process has of each login. */
export interface Tell {
  readonly type: "lease.tell";
  readonly from: string;
  readonly ask: number;
  readonly logins: Readonly<Record<string, number>>;
}

export type Notice = Beat | Revoke | Ask | Tell;

/** The message as what it says it is; undefined for one that is malformed. */
export function readNotice(message: LayerMessage): Notice | undefined {
  return typeof message.from === "string" && hasFields(message) ? (message as unknown as Notice) : undefined;
}

function hasFields(message: LayerMessage): boolean {
  switch (message.type as Notice["type"]) {
    case "lease.beat":
      return true;
    case "lease.revoke":
      return isRevocation(message);
    case "lease.ask":
      return isCount(message.ask) && typeof message.user === "string" && typeof message.channel === "string";
    case "lease.tell":
      return isCount(message.ask) && isTally(message.logins);
    default:
      return false;
  }
}

function isTally(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every(isCount);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isRevocation(revocation: Readonly<Record<string, unknown>>): boolean {
  const { of, id, reason, issuedBefore, except = null } = revocation;
  return (
    (of === "token" || of === "session" || of === "user") &&
    typeof id === "string" &&
    (leaseEnds as readonly unknown[]).includes(reason) &&
    (issuedBefore === null || (of === "user" && Number.isFinite(issuedBefore))) &&
    (except === null || (of === "user" && typeof except === "string"))
  );
}

/** Whether a lease on what is revoked ends by it. A token of which nobody knows when it was issued is as old as the lease. */
export function concerns({ issuedBefore, except = null }: Revocation, { grant, since }: Held): boolean {
  if (except !== null && loginOf(grant) === except) return false;
  return issuedBefore === null || (grant.issuedAt ?? since) < issuedBefore;
}
