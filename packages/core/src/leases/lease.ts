import type { Grant } from "../ports/token-verifier.js";
import { Task } from "./schedule.js";

/** Why a lease can end, which is also the reason of the close frame with 4401. */
export const leaseEnds = ["revoked", "expired", "logged_out", "password_changed", "disabled"] as const;

export type LeaseEnd = (typeof leaseEnds)[number];

/** A credential, and how old the word is that it is good. */
export interface Held {
  readonly grant: Grant;
  /** When the verification of its token began, in milliseconds since 1970. */
  readonly since: number;
}

/** What one connection holds on its credential, which another may take the place of. Made by `Leases.begin`. */
export interface Lease extends Held {
  /** Why the credential is no good any more; undefined while it is, and after a release. */
  readonly ended: LeaseEnd | undefined;
  /**
   * Puts another grant of the same connection in place of its own, with what `begin` assures of a new lease; `since` is as
   * it is there. False, with nothing changed, where that grant is no good any more or the lease is over.
   */
  renew(grant: Grant, since: number): boolean;
  /** The connection is over. Harmless where the lease is. */
  release(): void;
}

/** Told once that a lease has ended, never of a release. */
export type OnLeaseEnd = (reason: LeaseEnd) => void;

/** What a lease tells its registry. */
export interface LeaseRegistry {
  expired(lease: HeldLease): void;
  released(lease: HeldLease): void;
  /** True if the lease is on that grant from now on. */
  renewed(lease: HeldLease, grant: Grant, since: number): boolean;
}

/** A lease as its registry has it. As a task it falls due when it expires. */
export class HeldLease extends Task implements Lease {
  grant: Grant;
  since: number;
  /** Up to when it is known that the credential was good, in milliseconds since 1970. */
  assuredAt: number;
  readonly onEnd: OnLeaseEnd;
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

  /** Is on another grant from now on. To be called while no index and no schedule has it. */
  hold(grant: Grant, since: number): void {
    this.grant = grant;
    this.since = this.assuredAt = since;
  }

  renew(grant: Grant, since: number): boolean {
    return this.#registry.renewed(this, grant, since);
  }

  release(): void {
    this.#registry.released(this);
  }

  override due(): void {
    this.#registry.expired(this);
  }
}
