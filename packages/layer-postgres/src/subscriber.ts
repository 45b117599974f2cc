import { channelName, lockArguments, lockKey } from "./channel-name.js";
import type { Connection } from "./connection.js";
import { identifier } from "./sql-text.js";

interface Command {
  readonly sql: string;
  resolve(): void;
  reject(error: unknown): void;
}

const largestBatch = 500;

/** What a connection listens to. Commands of one tick go together. */
export class Subscriber {
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #topics = new Map<string, string>();
  /** The channels whose locks were asked for, and not refused. */
  readonly #locks = new Set<string>();
  #waiting: Command[] = [];

  constructor(connection: Connection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  /** The topic behind a channel, undefined for one that nobody listens to any more. */
  topicOf(channel: string): string | undefined {
    return this.#topics.get(channel);
  }

  /** With `presence`, others can see for as long as the connection lives that somebody listens. */
  async subscribe(topic: string, presence: boolean): Promise<void> {
    const channel = channelName(this.#prefix, topic);
    this.#topics.set(channel, topic);
    const locks = presence && !this.#locks.has(channel);
    if (locks) this.#locks.add(channel);
    // Shared: a session that has died and that the server still takes for alive does not keep its successor waiting.
    const lock = locks ? `select pg_advisory_lock_shared(${lockArguments(lockKey(channel))});` : "";
    try {
      await this.#run(`${lock}listen ${identifier(channel)};`);
    } catch (error) {
      // The next try is to ask for it again: without it, nobody would send here any more.
      if (locks) this.#locks.delete(channel);
      throw error;
    }
  }

  unsubscribe(topic: string, presence: boolean): Promise<void> {
    const channel = channelName(this.#prefix, topic);
    this.#topics.delete(channel);
    const unlock =
      presence && this.#locks.delete(channel)
        ? `select pg_advisory_unlock_shared(${lockArguments(lockKey(channel))});`
        : "";
    return this.#run(`${unlock}unlisten ${identifier(channel)};`);
  }

  /** Gives up everything, so that it is gone when this resolves and not only when the server has cleaned up. */
  async leave(): Promise<void> {
    this.#topics.clear();
    this.#locks.clear();
    await this.#connection.run("unlisten *; select pg_advisory_unlock_all()");
  }

  #run(sql: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sql, resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    while (waiting.length > 0) {
      const batch = waiting.splice(0, largestBatch);
      this.#connection.run(batch.map(({ sql }) => sql).join("")).then(
        () => {
          for (const { resolve } of batch) resolve();
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error);
        },
      );
    }
  }
}
