import type { MaybePromise } from "../app.js";
import type { Clock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import type { Grant } from "../ports/token-verifier.js";
import type { HeldLease } from "./lease.js";
import { Alarm, type Schedule } from "./schedule.js";

/** How many are asked about at a time. */
const batchSize = 50;
/** Milliseconds until it is asked again about those of whom there was no answer. */
const retryAfter = 1_000;
/** How often the store is asked while nothing comes through, in the time that leases have. */
const checksPerTime = 3;
/** Milliseconds between two looks for leases that were in doubt for too long. */
const precision = 100;

export interface DoubtsOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly logger: Logger;
  readonly verify: ((grant: Grant) => MaybePromise<boolean>) | undefined;
  /** Milliseconds. */
  readonly failClosedAfter: number;
  /** Ends a lease that is no good any more. */
  readonly end: (lease: HeldLease) => void;
}

/** What was thrown, which may be anything. */
interface Failure {
  readonly error: unknown;
}

/**
 * The leases of which it is not known whether they have been revoked. They are asked about while revocations do not come
 * through, and once more when they do again; those of which there was no answer for too long end.
 */
export class Doubts {
  readonly #options: DoubtsOptions;
  /** Since when nobody would have told, in milliseconds since 1970. */
  readonly #leases = new Map<HeldLease, number>();
  readonly #closing = new Alarm(() => this.#failClosed());
  readonly #retry = new Alarm(() => this.check());
  /** Changes with every outage: an answer from before it says nothing of it. */
  #outage = 0;
  #cutOff = true;
  #check = 0;
  #checking = false;

  constructor(options: DoubtsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** Nothing comes through from now on, and perhaps not since `since`. */
  cutOff(leases: Iterable<HeldLease>, since: number): void {
    this.#cutOff = true;
    this.#doubtAll(leases, since);
    this.#checkLater();
  }

  /** It comes through again; of what was revoked after `since` nobody has told. */
  regained(leases: Iterable<HeldLease>, since: number): void {
    this.#cutOff = false;
    this.#doubtAll(leases, since);
    this.check();
  }

  /** Nobody would have told of this lease since `since`. */
  add(lease: HeldLease, since: number): void {
    this.#doubt(lease, since);
    if (this.#cutOff) this.#checkLater();
    else if (!this.#checking) this.check();
  }

  delete(lease: HeldLease): void {
    if (this.#leases.delete(lease) && this.#leases.size === 0) this.#stop();
  }

  clear(): void {
    this.#leases.clear();
    this.#check++;
    this.#checking = false;
    this.#stop();
  }

  /** Asks about all, a few at a time. What is still being asked from an earlier time is not waited for. */
  check(): void {
    if (this.#leases.size === 0) return;
    if (this.#options.verify === undefined) {
      this.clear();
      return;
    }
    this.#checking = true;
    void this.#checkAll(this.#options.verify, ++this.#check);
  }

  async #checkAll(verify: NonNullable<DoubtsOptions["verify"]>, check: number): Promise<void> {
    const leases = [...this.#leases.keys()];
    let failure: Failure | undefined;
    for (let start = 0; start < leases.length; start += batchSize) {
      const failures = await Promise.all(
        leases.slice(start, start + batchSize).map((lease) => this.#checkOne(lease, verify)),
      );
      failure ??= failures.find((each) => each !== undefined);
      if (check !== this.#check) return;
    }
    this.#checking = false;
    if (this.#leases.size === 0) return;
    if (this.#cutOff) {
      this.#checkLater();
      return;
    }
    if (failure === undefined) {
      // Those that have come meanwhile.
      this.check();
      return;
    }
    const { clock, logger, schedule } = this.#options;
    logger.warn({ err: failure.error, leases: this.#leases.size }, "leases cannot be verified, which is tried again");
    schedule.set(this.#retry, clock.now() + retryAfter);
  }

  /** Resolves with what went wrong, if anything did. */
  async #checkOne(lease: HeldLease, verify: NonNullable<DoubtsOptions["verify"]>): Promise<Failure | undefined> {
    if (!this.#leases.has(lease)) return undefined;
    const outage = this.#outage;
    const { grant } = lease;
    const askedAt = this.#options.clock.now();
    try {
      const good = await verify(grant);
      // Another grant, or none, is on it now.
      if (!this.#leases.has(lease) || lease.grant !== grant) return undefined;
      lease.assuredAt = askedAt;
      if (!good) this.#options.end(lease);
      else if (outage === this.#outage && !this.#cutOff) this.delete(lease);
      else this.#leases.set(lease, askedAt);
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  /** While nothing comes through, in time for the answers to save who is still good. */
  #checkLater(): void {
    const { clock, schedule, verify, failClosedAfter } = this.#options;
    if (verify === undefined || this.#leases.size === 0 || this.#retry.slot !== -1 || this.#checking) return;
    schedule.set(this.#retry, clock.now() + failClosedAfter / checksPerTime);
  }

  #doubtAll(leases: Iterable<HeldLease>, since: number): void {
    this.#outage++;
    for (const lease of leases) this.#doubt(lease, since);
  }

  /** What was in doubt before stays so from then on. */
  #doubt(lease: HeldLease, since: number): void {
    if (this.#leases.has(lease)) return;
    const from = Math.max(since, lease.assuredAt);
    this.#leases.set(lease, from);
    const until = from + this.#options.failClosedAfter;
    if (until < this.#closing.at) this.#options.schedule.set(this.#closing, until);
  }

  /** Ends those whose time is up, and comes back for the next. */
  #failClosed(): void {
    const { clock, schedule, failClosedAfter, end } = this.#options;
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [lease, since] of this.#leases) {
      if (since + failClosedAfter <= now) end(lease);
      else next = Math.min(next, since + failClosedAfter);
    }
    schedule.set(this.#closing, Math.max(next, now + precision));
  }

  #stop(): void {
    this.#options.schedule.remove(this.#closing);
    this.#options.schedule.remove(this.#retry);
  }
}
