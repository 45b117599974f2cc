import { isTokenShaped, randomToken } from "../auth/random-token.js";
import type { Clock } from "../ports/clock.js";
import { webDigest } from "../ports/digest.js";
import type { Logger } from "../ports/logger.js";
import type { SessionRecord, SessionStore } from "../ports/session-store.js";

/** How exact `lastSeenAt` is, in milliseconds, where sessions may be idle for long: a busy one costs one write a minute. */
const lastSeenPrecision = 60_000;

export interface SessionRecordsOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds, as is `lifetime`. */
  readonly idleLifetime: number;
  readonly lifetime: number;
}

/** A session that has just been made. */
export interface NewSession {
  /** Goes to the client and nowhere else. */
  readonly key: string;
  readonly record: SessionRecord;
}

/** The sessions of a store, with the rules of their keys and of their lives. */
export class SessionRecords {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly #idleLifetime: number;
  readonly #lifetime: number;
  readonly #precision: number;
  /** Digests whose use is being noted right now: a hundred requests at a time cost one write. */
  readonly #touching = new Set<string>();

  constructor(options: SessionRecordsOptions) {
    this.store = options.store;
    this.clock = options.clock;
    this.logger = options.logger;
    this.#idleLifetime = options.idleLifetime;
    this.#lifetime = options.lifetime;
    this.#precision = Math.min(lastSeenPrecision, options.idleLifetime / 10);
  }

  /** True for what may be the key of a session: anything else is not looked up. */
  isKey(key: string): boolean {
    return isTokenShaped(key);
  }

  /** The session of a key; undefined for one that is unknown or expired. */
  async find(key: string): Promise<SessionRecord | undefined> {
    const digest = await webDigest(key);
    const record = await this.store.find(digest);
    const now = this.clock.now();
    if (record === undefined || record.expiresAt <= now || record.lastSeenAt + this.#idleLifetime <= now) {
      return undefined;
    }
    // Not awaited: it has until the session would be idle for too long.
    const isStale = now - record.lastSeenAt >= this.#precision;
    if (isStale && !this.#touching.has(digest)) void this.#touch(digest, now);
    return record;
  }

  /** A session with a new key, which is not in the store yet. */
  async make(userId: string | undefined, data: SessionRecord["data"]): Promise<NewSession> {
    const key = randomToken();
    const now = this.clock.now();
    const digest = await webDigest(key);
    return {
      key,
      record: { digest, userId, data, createdAt: now, lastSeenAt: now, expiresAt: now + this.#lifetime },
    };
  }

  async #touch(digest: string, seenAt: number): Promise<void> {
    this.#touching.add(digest);
    try {
      await this.store.touch(digest, seenAt);
    } catch (error) {
      this.logger.warn({ err: error, sessionId: digest }, "the last use of a session could not be noted");
    } finally {
      this.#touching.delete(digest);
    }
  }
}
