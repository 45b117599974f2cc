import type { MaybePromise } from "../app.js";
import { LayerUnavailable } from "../errors.js";
import type { ChannelLayer } from "../ports/channel-layer.js";
import { type Clock, longestTimer, systemClock } from "../ports/clock.js";
import { type Logger, silentLogger } from "../ports/logger.js";
import type { OnSecurityEvent, SecurityEvent } from "../ports/security-events.js";
import { steadyListener } from "../ports/steady-listener.js";
import { steadyLogger } from "../ports/steady-logger.js";
import { type Grant, loginOf } from "../ports/token-verifier.js";
import { checkRange } from "../session/check-range.js";
import { Doubts } from "./doubts.js";
import { type Held, HeldLease, type Lease, type LeaseEnd, type LeaseRegistry, type OnLeaseEnd } from "./lease.js";
import { LeaseIndex } from "./lease-index.js";
import { RecentRevocations } from "./recent-revocations.js";
import { concerns, isRevocation, type Revocation } from "./revocation.js";
import { RevocationFeed } from "./revocation-feed.js";
import { Schedule } from "./schedule.js";

export interface LeasesOptions {
  /** Brings revocations to the other processes. */
  readonly layer: ChannelLayer;
  readonly clock?: Clock | undefined;
  /** Told when revocations do not come through, once per outage, and when `verify` fails. */
  readonly logger?: Logger | undefined;
  /** Milliseconds that a lease lasts beyond its grant's `expiresAt`, for clocks that differ: 0 if left out. */
  readonly skew?: number | undefined;
  /**
   * Whether the grant is still good, as the store has it. Asked for each lease of which a revocation may have been missed:
   * three times in `failClosedAfter` while this process is cut off from the layer, once it is back, and for the first ones,
   * which begin before it listens. A rejection is asked again. Without it, leases are kept when the process is back in time.
   */
  readonly verify?: ((grant: Grant) => MaybePromise<boolean>) | undefined;
  /**
   * Milliseconds that a lease may go on while revocations would not come through and `verify` has not said that it is good:
   * 30,000 if left out, 1,000 at least.
   */
  readonly failClosedAfter?: number | undefined;
  /** Told of each revocation: where it is asked for, and where it ends connections. That a token expires is no event. */
  readonly onSecurityEvent?: OnSecurityEvent | undefined;
}

/** What a process has. */
export interface LeaseCounts {
  readonly leases: number;
  readonly tokens: number;
  readonly sessions: number;
  readonly users: number;
  /** Leases of which a revocation may have been missed. */
  readonly inDoubt: number;
  /** How many have ended so far, by the reason. */
  readonly ended: Readonly<Record<LeaseEnd, number>>;
}

/** A user's live connection. */
export interface OpenLease {
  readonly tokenId: string;
  readonly sessionId: string | undefined;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/**
 * Watches over the credentials of live connections: a connection that `TokenAuth({ leases })` has let in loses its lease,
 * and is closed with 4401, when its token expires or is revoked, in whatever process that is done. One per process.
 *
 * Revoking here closes connections and nothing else: take the token out of its store first, or the client comes back
 * with it. A process that is cut off from the layer asks `verify` about its leases, and ends those it gets no answer for
 * after `failClosedAfter`. On an in-memory layer a process is never cut off.
 *
 * Throws `ConfigurationError` for a number out of range.
 *
 * @example
 * const leases = new Leases({ layer, verify: async ({ tokenId }) => (await store.find(tokenId)) !== undefined });
 * const chat = TokenAuth(asApp(Chat, { layer }), { verifier, from: [fromHeader()], leases });
 *
 * await tokens.revoke(token);
 * await leases.revokeToken(grant.tokenId, "logged_out");
 */
export class Leases {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #tell: ((event: SecurityEvent) => void) | undefined;
  readonly #skew: number;
  readonly #schedule: Schedule;
  readonly #index = new LeaseIndex();
  readonly #leases = new Set<HeldLease>();
  readonly #recent: RecentRevocations;
  readonly #doubts: Doubts;
  readonly #feed: RevocationFeed;
  readonly #registry: LeaseRegistry = {
    expired: (lease) => this.#end(lease, "expired"),
    released: (lease) => void this.#remove(lease),
    renewed: (lease, grant, since) => this.#renew(lease, grant, since),
  };
  readonly #ended: Record<LeaseEnd, number> = {
    revoked: 0,
    expired: 0,
    logged_out: 0,
    password_changed: 0,
    disabled: 0,
  };
  #closed = false;

  constructor(options: LeasesOptions) {
    const { layer, clock = systemClock, logger = silentLogger, skew = 0, verify, failClosedAfter = 30_000 } = options;
    checkRange("skew", skew, 0, longestTimer);
    checkRange("failClosedAfter", failClosedAfter, 1_000, longestTimer);
    this.#clock = clock;
    this.#logger = steadyLogger(logger);
    this.#tell = steadyListener(options.onSecurityEvent);
    this.#skew = skew;
    this.#schedule = new Schedule(clock);
    this.#recent = new RecentRevocations(clock);
    const shared = { clock, logger: this.#logger, schedule: this.#schedule };
    const end = (lease: HeldLease): void => this.#end(lease, "revoked");
    this.#doubts = new Doubts({ ...shared, verify, failClosedAfter, end });
    // So that a lost beat is noticed well before the leases have to end.
    const beatEvery = Math.min(5_000, failClosedAfter / 4);
    this.#feed = new RevocationFeed(
      { ...shared, layer, beatEvery },
      {
        revoked: (revocation) => this.#apply(revocation, true),
        cutOff: (since) => this.#doubts.cutOff(this.#leases, since),
        regained: (since) => this.#doubts.regained(this.#leases, since),
        tally: (userId) => this.#tally(userId),
      },
    );
  }

  /** How many leases there are. */
  get size(): number {
    return this.#leases.size;
  }

  get counts(): LeaseCounts {
    return {
      leases: this.#leases.size,
      tokens: this.#index.count("token"),
      sessions: this.#index.count("session"),
      users: this.#index.count("user"),
      inDoubt: this.#doubts.size,
      ended: { ...this.#ended },
    };
  }

  /** The live connections of a user in this process, those that came first standing first. */
  leasesOf(userId: string): readonly OpenLease[] {
    return this.#index.find("user", userId).map(({ grant: { tokenId, sessionId }, since }) => ({
      tokenId,
      sessionId,
      since,
    }));
  }

  /**
   * How many live connections a user has by each login, as `loginOf` names it, in all processes. Those of a process that does
   * not answer within a quarter second are left out, and while this one is cut off all but its own. Never rejects.
   */
  connectionsOf(userId: string): Promise<ReadonlyMap<string, number>> {
    if (this.#closed) return Promise.resolve(new Map());
    this.#feed.start();
    return this.#feed.connectionsOf(userId);
  }

  /** The time by the clock of the leases: what `begin` is to be told, taken before a token is verified. */
  now(): number {
    return this.#clock.now();
  }

  /**
   * Begins the lease of a connection that is open from now on; `since` is when the verification of its token began.
   * `onEnd` is told once when the credential is no good any more, never within this call: where it is no good already,
   * as it was revoked meanwhile, the lease comes with `ended` set, and there is nothing to release. `TokenAuth` does all
   * this; a middleware of one's own may.
   *
   * After `close()` a lease is watched by nobody.
   */
  begin(grant: Grant, since: number, onEnd: OnLeaseEnd): Lease {
    const lease = new HeldLease(grant, since, onEnd, this.#registry);
    if (this.#closed) return lease;
    lease.ended = this.#endOf(lease);
    if (lease.ended !== undefined) {
      this.#ended[lease.ended]++;
      return lease;
    }
    this.#feed.start();
    this.#leases.add(lease);
    this.#watch(lease);
    return lease;
  }

  /**
   * Whether a grant is as good as it was when its verification began, at `since`: nothing has revoked it meanwhile, and no
   * revocation can have been missed. Of expiry it says nothing. Where it is false, only the verifier knows: for a cache of
   * grants, which is `TokenCache`.
   */
  vouchesFor(grant: Grant, since: number): boolean {
    if (this.#closed) return false;
    this.#feed.start();
    return (
      since > this.#feed.completeSince &&
      since > this.#recent.since &&
      this.#recent.endOf({ grant, since }) === undefined
    );
  }

  /**
   * Ends the leases on a token: here at once, in the other processes as soon as they hear of it. Rejects with
   * `LayerUnavailable` when the layer cannot be reached; here it is done all the same, and the others are told when it is
   * back, as long as this process lives.
   */
  revokeToken(tokenId: string, reason: LeaseEnd = "revoked"): Promise<void> {
    return this.#revoke({ of: "token", id: tokenId, reason, issuedBefore: null });
  }

  /** As {@link revokeToken}, for all tokens of a session. */
  revokeSession(sessionId: string, reason: LeaseEnd = "revoked"): Promise<void> {
    return this.#revoke({ of: "session", id: sessionId, reason, issuedBefore: null });
  }

  /**
   * As {@link revokeToken}, for all tokens of a user. A login after it is not concerned, nor is the one named `except`, if
   * given: what `loginOf` says of the grant that goes on.
   */
  revokeUser(
    userId: string,
    reason: LeaseEnd = "revoked",
    { except = null }: { readonly except?: string | null } = {},
  ): Promise<void> {
    return this.#revoke({ of: "user", id: userId, reason, issuedBefore: null, except });
  }

  /**
   * As {@link revokeToken}, for those tokens of a user that were issued before `time`, in milliseconds since 1970. A grant
   * that does not say when counts as issued when its lease began. A JWT of others may know whole seconds only: to spare
   * the one that was issued in place of the others, give the `issuedAt` of its grant.
   */
  revokeIssuedBefore(userId: string, time: number, reason: LeaseEnd = "password_changed"): Promise<void> {
    return this.#revoke({ of: "user", id: userId, reason, issuedBefore: time });
  }

  /** Watches no longer: forgets all leases, without ending their connections, and gives back what it holds. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const lease of this.#leases) this.#remove(lease);
    this.#doubts.clear();
    await this.#feed.close().catch(() => {});
    this.#schedule.clear();
  }

  async #revoke(revocation: Revocation): Promise<void> {
    if (!isRevocation({ ...revocation })) {
      // Without the id: somebody may have given the token itself.
      const { reason, issuedBefore } = revocation;
      throw new TypeError(
        `expected an id, one of the reasons and a time in milliseconds, got ${JSON.stringify({ reason, issuedBefore })}`,
      );
    }
    if (this.#closed) throw new LayerUnavailable("the leases are closed");
    this.#feed.start();
    this.#apply(revocation, false);
    await this.#feed.publish(revocation);
  }

  #apply(revocation: Revocation, elsewhere: boolean): void {
    const { of, id, reason, issuedBefore } = revocation;
    this.#recent.remember(revocation);
    let closed = 0;
    for (const lease of this.#index.find(of, id)) {
      if (!concerns(revocation, lease)) continue;
      closed++;
      this.#end(lease, reason);
    }
    if (elsewhere && closed === 0) return;
    this.#tell?.({
      type: "revocation",
      of,
      reason,
      userId: of === "user" ? id : undefined,
      tokenId: of === "token" ? id : undefined,
      sessionId: of === "session" ? id : undefined,
      issuedBefore: issuedBefore ?? undefined,
      closed,
      elsewhere,
    });
  }

  #tally(userId: string): ReadonlyMap<string, number> {
    const tally = new Map<string, number>();
    for (const { grant } of this.#index.find("user", userId)) {
      const login = loginOf(grant);
      tally.set(login, (tally.get(login) ?? 0) + 1);
    }
    return tally;
  }

  #renew(lease: HeldLease, grant: Grant, since: number): boolean {
    if (this.#closed && lease.ended === undefined) {
      lease.hold(grant, since);
      return true;
    }
    if (!this.#leases.has(lease) || this.#endOf({ grant, since }) !== undefined) return false;
    this.#unwatch(lease);
    lease.hold(grant, since);
    this.#watch(lease);
    return true;
  }

  /** Why a credential is no good any more; undefined if it is. */
  #endOf(held: Held): LeaseEnd | undefined {
    return this.#expiryOf(held.grant) <= this.#clock.now() ? "expired" : this.#recent.endOf(held);
  }

  #watch(lease: HeldLease): void {
    const { grant, since } = lease;
    this.#index.add(lease);
    this.#schedule.set(lease, this.#expiryOf(grant));
    if (since <= this.#feed.completeSince) this.#doubts.add(lease, since);
    // It took longer than revocations are remembered for to get here: it is asked about, and given the time for it.
    else if (since <= this.#recent.since) this.#doubts.add(lease, this.#clock.now());
  }

  #unwatch(lease: HeldLease): void {
    this.#index.delete(lease);
    this.#schedule.remove(lease);
    this.#doubts.delete(lease);
  }

  #expiryOf({ expiresAt }: Grant): number {
    return expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt + this.#skew;
  }

  #end(lease: HeldLease, reason: LeaseEnd): void {
    if (!this.#remove(lease)) return;
    lease.ended = reason;
    this.#ended[reason]++;
    try {
      lease.onEnd(reason);
    } catch (error) {
      // The other leases have to end too.
      this.#logger.error(
        { err: error, tokenId: lease.grant.tokenId },
        "a connection could not be told of its lease's end",
      );
    }
  }

  #remove(lease: HeldLease): boolean {
    if (!this.#leases.delete(lease)) return false;
    this.#unwatch(lease);
    return true;
  }
}
