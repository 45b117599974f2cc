import type { Grant } from "../ports/token-verifier.js";
import { Task } from "./schedule.js";

/** Why a lease can end, which is also the reason of the close frame with 4401. */
export const leaseEnds = ["revoked", "expired", "logged_out", "password_changed", "disabled"] as const;

export type LeaseEnd = (typeof leaseEnds)[number];

/** What one connection holds on its credential. Made by `Leases.begin`. */
export interface Lease {
  readonly grant: Grant;
  /** When the verification of the token began, in milliseconds since 1970. */
  readonly since: number;
  /** Why the credential is no good any more; undefined while it is, and after a release. */
  readonly ended: LeaseEnd | undefined;
  /** The connection is over. Harmless where the lease is. */
  release(): void;
}

/** Told once that a lease has ended, never of a release. */
export type OnLeaseEnd = (reason: LeaseEnd) => void;

/** What a lease tells its registry. */
export interface LeaseRegistry {
  expired(lease: HeldLease): void;
  released(lease: HeldLease): void;
}

/** A lease as its registry has it. As a task it falls due when it expires. */
export class HeldLease extends Task implements Lease {
  readonly grant: Grant;
  readonly since: number;
  readonly onEnd: OnLeaseEnd;
  /** Up to when it is known that the credential was good, in milliseconds since 1970. */
  assuredAt: number;
  ended: LeaseEnd | undefined;
  readonly #registry: LeaseRegistry;

  constructor(grant: Grant, since: number, onEnd: OnLeaseEnd, registry: LeaseRegistry) {
    super();
    this.grant = grant;
    this.since = since;
    this.assuredAt = since;
    this.onEnd = onEnd;
    this.#registry = registry;
  }

  release(): void {
    this.#registry.released(this);
  }

  override due(): void {
    this.#registry.expired(this);
  }
}
