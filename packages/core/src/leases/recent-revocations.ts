import type { Clock } from "../ports/clock.js";
import type { Held, LeaseEnd } from "./lease.js";
import { concerns, type Revocation } from "./revocation.js";

/** Milliseconds. Between a token's verification and its lease stands the handshake, which is shorter. */
const memory = 60_000;

interface Entry {
  readonly revocation: Revocation;
  /** When this process heard of it, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * The revocations of the last minute, for tokens that were verified just before and get their lease just after: they
 * would be missed. Of more than `limit` the oldest are forgotten sooner.
 */
export class RecentRevocations {
  readonly #clock: Clock;
  readonly #limit: number;
  /** In the order of their times. */
  readonly #entries = new Map<string, Entry>();
  #forgotten = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, limit = 10_000) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** All that were heard of after this time are remembered. Milliseconds since 1970. */
  get since(): number {
    return Math.max(this.#forgotten, this.#clock.now() - memory);
  }

  remember(revocation: Revocation): void {
    const key = keyOf(revocation.of, revocation.id, revocation.issuedBefore !== null);
    const earlier = this.#entries.get(key)?.revocation;
    const issuedBefore =
      revocation.issuedBefore === null
        ? null
        : Math.max(revocation.issuedBefore, earlier?.issuedBefore ?? Number.NEGATIVE_INFINITY);
    // What one of two has spared the other has not.
    const { except = null } = revocation;
    const spared = earlier === undefined || (earlier.except ?? null) === except ? except : null;
    this.#entries.delete(key);
    this.#entries.set(key, { revocation: { ...revocation, issuedBefore, except: spared }, at: this.#clock.now() });
    this.#forget();
  }

  /** Why a credential is no good any more that is about to get its lease; undefined if it is. */
  endOf(held: Held): LeaseEnd | undefined {
    if (this.#entries.size === 0) return undefined;
    const { tokenId, sessionId, user } = held.grant;
    const session = sessionId === undefined ? undefined : this.#entries.get(keyOf("session", sessionId, false));
    const before = this.#entries.get(keyOf("user", user.id, true));
    const all = this.#entries.get(keyOf("user", user.id, false));
    // Tokens and sessions do not come back, where a user may log in again.
    const found =
      this.#entries.get(keyOf("token", tokenId, false)) ??
      session ??
      (before !== undefined && concerns(before.revocation, held) ? before : undefined) ??
      (all !== undefined && held.since <= all.at && concerns(all.revocation, held) ? all : undefined);
    return found?.revocation.reason;
  }

  #forget(): void {
    const until = this.#clock.now() - memory;
    for (const [key, { at }] of this.#entries) {
      if (at > until && this.#entries.size <= this.#limit) return;
      this.#entries.delete(key);
      this.#forgotten = at;
    }
  }
}

function keyOf(of: Revocation["of"], id: string, before: boolean): string {
  return `${before ? "before" : of}:${id}`;
}
