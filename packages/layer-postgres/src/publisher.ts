import type { LockKey } from "./channel-name.js";
import type { Connection } from "./connection.js";
import { notification } from "./notification.js";
import { textArray } from "./sql-text.js";
import type { Tables } from "./tables.js";

interface Publication {
  readonly channel: string;
  readonly payload: string;
  readonly lock: LockKey | undefined;
  resolve(heard: boolean): void;
  reject(error: unknown): void;
}

/** How many seconds a payload lies in the table: it is read at once by all who will. */
const payloadExpiry = 30;
const largestBatch = 250;

const notify = "select pg_notify(channel, text) from unnest($1::text[], $2::text[]) as batch (channel, text)";
const heldLocks = `
  select classid, objid from pg_locks
  where locktype = 'advisory' and objsubid = 2 and granted
    and database = (select oid from pg_database where datname = current_database())
    and classid = any($1::oid[]) and objid = any($2::oid[])
`;

/**
 * Publishes in the order of the calls. While something is on its way, the next publications gather and then go together:
 * a notification costs the server a commit, at which all processes queue, and so does a batch of them.
 */
export class Publisher {
  readonly #connection: Connection;
  readonly #notifyStored: string;
  #waiting: Publication[] = [];
  #underWay = 0;

  constructor(connection: Connection, tables: Tables) {
    this.#connection = connection;
    this.#notifyStored = `
      with stored as (
        insert into ${tables.payloads} (id, payload, expires_at)
        select id::uuid, payload, statement_timestamp() + interval '${payloadExpiry} seconds'
        from unnest($3::text[], $4::text[]) as long (id, payload)
      ) ${notify}`;
  }

  /** False if nobody holds `lock`, where there is one. */
  publish(channel: string, payload: string, lock?: LockKey): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ channel, payload, lock, resolve, reject });
      if (this.#underWay === 0 && this.#waiting.length === 1) queueMicrotask(() => this.flush());
    });
  }

  /** Sends what has gathered, because something else is to come after it. */
  flush(): void {
    while (this.#waiting.length > 0) void this.#send(this.#waiting.splice(0, largestBatch));
  }

  async #send(batch: readonly Publication[]): Promise<void> {
    this.#underWay++;
    try {
      const [held] = await Promise.all([this.#held(batch), this.#notify(batch)]);
      for (const { lock, resolve } of batch) resolve(lock === undefined || held.has(keyOf(lock)));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    if (--this.#underWay === 0) this.flush();
  }

  async #notify(batch: readonly Publication[]): Promise<void> {
    const notifications = batch.map(({ payload }) => notification(payload));
    const stored = notifications.flatMap(({ stored }) => stored ?? []);
    const sent = [textArray(batch.map(({ channel }) => channel)), textArray(notifications.map(({ text }) => text))];
    if (stored.length === 0) await this.#connection.run(notify, sent);
    else {
      const rows = [textArray(stored.map(({ id }) => id)), textArray(stored.map(({ payload }) => payload))];
      await this.#connection.run(this.#notifyStored, [...sent, ...rows]);
    }
  }

  /** Which of the locks somebody holds. Asked only if there are any: a look into `pg_locks` halts the server's locking. */
  async #held(batch: readonly Publication[]): Promise<ReadonlySet<string>> {
    const locks = batch.flatMap(({ lock }) => lock ?? []);
    if (locks.length === 0) return new Set();
    const rows = await this.#connection.run(heldLocks, [
      textArray(locks.map(({ high }) => `${high}`)),
      textArray(locks.map(({ low }) => `${low}`)),
    ]);
    return new Set(rows.map(({ classid, objid }) => keyOf({ high: Number(classid), low: Number(objid) })));
  }
}

function keyOf({ high, low }: LockKey): string {
  return `${high} ${low}`;
}
