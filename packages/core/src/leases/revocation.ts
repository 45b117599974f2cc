/** What the processes tell each other of leases: messages of the channel layer, from outside as far as types go. */
import type { LayerMessage } from "../ports/channel-layer.js";
import { type Held, type LeaseEnd, leaseEnds } from "./lease.js";

/** That credentials are no good any more. */
export interface Revocation {
  readonly of: "token" | "session" | "user";
  /** Of the token, the session or the user. */
  readonly id: string;
  readonly reason: LeaseEnd;
  /** Of a user's, only those issued before this time, in milliseconds since 1970. Null: all of them. */
  readonly issuedBefore: number | null;
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

/** The message as what it says it is; undefined for one that is malformed. */
export function readNotice(message: LayerMessage): Beat | Revoke | undefined {
  if (typeof message.from !== "string") return undefined;
  const known = message.type === "lease.beat" || (message.type === "lease.revoke" && isRevocation(message));
  return known ? (message as unknown as Beat | Revoke) : undefined;
}

export function isRevocation({ of, id, reason, issuedBefore }: Readonly<Record<string, unknown>>): boolean {
  return (
    (of === "token" || of === "session" || of === "user") &&
    typeof id === "string" &&
    (leaseEnds as readonly unknown[]).includes(reason) &&
    (issuedBefore === null || (of === "user" && Number.isFinite(issuedBefore)))
  );
}

/** Whether a lease on what is revoked ends by it. A token of which nobody knows when it was issued is as old as the lease. */
export function concerns({ issuedBefore }: Revocation, { grant, since }: Held): boolean {
  return issuedBefore === null || (grant.issuedAt ?? since) < issuedBefore;
}
