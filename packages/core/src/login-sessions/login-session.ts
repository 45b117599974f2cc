import type { MaybePromise } from "../app.js";
import { ProtocolError } from "../errors.js";
import { plainValue } from "../layers/plain-message.js";
import type { SessionChanges, SessionRecord } from "../ports/session-store.js";
import type { SessionCookie } from "./session-cookie.js";
import type { SessionKey } from "./session-key.js";
import type { SessionRecords } from "./session-records.js";

/**
 * What a client's cookie stands for: who has logged in, and what is kept for them from one request to the next.
 *
 * There is none in the store until something is put in or somebody logs in. What is put in is saved before the response
 * or the accept goes out, and what is put in later when the application returns; `save()` does it at once. Two requests
 * of one session that change different values at the same time both have their way.
 */
export class LoginSession {
  /** When it was looked up, in milliseconds since 1970. */
  readonly readAt: number;
  readonly #records: SessionRecords;
  readonly #cookie: SessionCookie;
  #record: SessionRecord | undefined;
  readonly #data: Map<string, unknown>;
  #changed = new Set<string>();
  /** The key of a session that has been made and that the client does not know of yet. */
  #untold: string | undefined;
  #cleared = false;
  /** The response or the accept has gone, and with it the last chance of a cookie. */
  #answered = false;
  /** The last of the writes that are under way, which take turns. Never rejects. */
  #writing: Promise<void> | undefined;

  constructor(records: SessionRecords, cookie: SessionCookie, readAt: number, record: SessionRecord | undefined) {
    this.readAt = readAt;
    this.#records = records;
    this.#cookie = cookie;
    this.#record = record;
    this.#data = new Map(Object.entries(record?.data ?? {}));
  }

  /** Names the session without being its key: safe to log. Undefined while there is none in the store. */
  get id(): string | undefined {
    return this.#record?.digest;
  }

  /** Who has logged in. */
  get userId(): string | undefined {
    return this.#record?.userId;
  }

  /** Milliseconds since 1970. */
  get createdAt(): number | undefined {
    return this.#record?.createdAt;
  }

  /** When it ends however busy it is, in milliseconds since 1970. */
  get expiresAt(): number | undefined {
    return this.#record?.expiresAt;
  }

  /** Frozen: put in another value to change it. */
  get<Value>(key: SessionKey<Value>): Value | undefined {
    const kept = this.#data.get(key.name);
    return kept !== undefined && key.isValue(kept) ? kept : undefined;
  }

  /**
   * Puts in a copy. Throws a `TypeError` for what JSON cannot carry, and `ProtocolError` where this would begin a session
   * of which the client cannot be told any more.
   */
  set<Value>(key: SessionKey<Value>, value: Value): void {
    const kept = plainValue(value, key.name);
    if (this.#record === undefined && this.#answered) {
      throw new ProtocolError(
        "expected a session to begin before the response or the accept, with which its cookie goes, got a value after it",
      );
    }
    this.#data.set(key.name, kept);
    this.#changed.add(key.name);
  }

  delete(key: SessionKey<unknown>): void {
    if (this.#data.delete(key.name)) this.#changed.add(key.name);
  }

  /** Saves what has changed. Of a session that has been ended meanwhile, elsewhere, nothing is saved. */
  save(): Promise<void> {
    return this.#inTurn(() => this.#write());
  }

  /**
   * Makes it the session of a user, with a new key: the old one, which somebody may have foisted on them, is good for
   * nothing any more. What was put in stays, but for what is another user's. For `login()`.
   *
   * After the response or the accept the client cannot be told of a new key: then it is a session of this connection
   * alone, which ends with it, and the client's cookie stays what it is.
   *
   * Resolves with the id of the session of which it took the place.
   */
  renew(userId: string): Promise<string | undefined> {
    return this.#inTurn(async () => {
      const before = this.#record;
      const isAnothers = before?.userId !== undefined && before.userId !== userId;
      const { key, record } = await this.#records.make(userId, isAnothers ? {} : Object.fromEntries(this.#data));
      const replaced = this.#isReplaceable ? before?.digest : undefined;
      const changed = this.#takeChanged();
      const { store } = this.#records;
      try {
        await (replaced === undefined ? store.create(record) : store.replace(replaced, record));
      } catch (error) {
        this.#changeAgain(changed);
        throw error;
      }
      if (isAnothers) this.#data.clear();
      this.#record = record;
      this.#untold = key;
      return replaced;
    });
  }

  /** Ends it: it is removed from the store with all that was put in, and the cookie is cleared. For `logout()`. */
  end(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#record !== undefined) await this.#records.store.remove(this.#record.digest);
      this.#cleared = this.#record !== undefined;
      this.#record = undefined;
      this.#untold = undefined;
      this.#data.clear();
      this.#changed.clear();
    });
  }

  /**
   * The response or the accept is about to go out: saves what has changed, and gives the Set-Cookie header to send along,
   * if any. For `SessionMiddleware`, once.
   */
  answer(): MaybePromise<string | undefined> {
    if (this.#writing === undefined && this.#changed.size === 0) return this.#tell();
    return this.save().then(() => this.#tell());
  }

  /**
   * The application has returned: saves what has changed since the answer, and removes a session that no client knows of.
   * For `SessionMiddleware`. Never rejects.
   */
  async finish(): Promise<void> {
    await this.#writing;
    try {
      if (this.#untold !== undefined) await this.end();
      else if (this.#record !== undefined && this.#changed.size > 0) await this.save();
    } catch (error) {
      this.#records.logger.warn({ err: error, sessionId: this.id }, "a session could not be saved at its end");
    }
  }

  #tell(): string | undefined {
    this.#answered = true;
    if (this.#untold !== undefined && this.#record !== undefined) {
      const header = this.#cookie.set(this.#untold, this.#record.expiresAt - this.#records.clock.now());
      this.#untold = undefined;
      return header;
    }
    return this.#cleared ? this.#cookie.clear() : undefined;
  }

  async #write(): Promise<void> {
    if (this.#changed.size === 0) return;
    const changed = this.#takeChanged();
    try {
      if (this.#record !== undefined) await this.#records.store.save(this.#record.digest, this.#changesOf(changed));
      else if (this.#data.size > 0) await this.#begin();
    } catch (error) {
      this.#changeAgain(changed);
      throw error;
    }
  }

  async #begin(): Promise<void> {
    const { key, record } = await this.#records.make(undefined, Object.fromEntries(this.#data));
    await this.#records.store.create(record);
    this.#record = record;
    this.#untold = key;
  }

  /** A session that the client's cookie names has to stay where the cookie cannot be replaced. */
  get #isReplaceable(): boolean {
    return !this.#answered || this.#untold !== undefined;
  }

  #changesOf(names: Iterable<string>): SessionChanges {
    const set: [string, unknown][] = [];
    const remove: string[] = [];
    for (const name of names) {
      if (this.#data.has(name)) set.push([name, this.#data.get(name)]);
      else remove.push(name);
    }
    return { set: Object.fromEntries(set), remove };
  }

  #takeChanged(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  #changeAgain(names: Iterable<string>): void {
    for (const name of names) this.#changed.add(name);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#writing === undefined ? work() : this.#writing.then(work);
    const settled: Promise<void> = turn.then(
      () => this.#wrote(settled),
      () => this.#wrote(settled),
    );
    this.#writing = settled;
    return turn;
  }

  #wrote(settled: Promise<void>): void {
    if (this.#writing === settled) this.#writing = undefined;
  }
}
