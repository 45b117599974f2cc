import type { QueueLimits } from "@sluice/core";
import { lockArguments, lockKey } from "./channel-name.js";
import type { Connection } from "./connection.js";
import { textExpression } from "./sql-text.js";
import type { Tables } from "./tables.js";

/** Queues in a table. Their clock is the server's. */
export class Queues {
  readonly #connection: Connection;
  readonly #table: string;
  readonly #prefix: string;
  readonly #pop: string;

  constructor(connection: Connection, tables: Tables, prefix: string) {
    this.#connection = connection;
    this.#table = tables.queue;
    this.#prefix = `${prefix}:`;
    this.#pop = `
      delete from ${this.#table} where id = (
        select id from ${this.#table} where queue = $1 and expires_at > statement_timestamp()
        order by id limit 1 for update skip locked
      ) returning payload`;
  }

  /**
   * The pushes to one queue wait for one another, so that it holds no more than it may and its order is that of the commits.
   * Three statements and not one, because each sees what has been committed when it begins.
   */
  async push(queue: string, payload: string, { capacity, expiry }: QueueLimits): Promise<boolean> {
    const name = this.#prefix + queue;
    const sql = textExpression(name);
    const rows = await this.#connection.run(`
      select pg_advisory_xact_lock(${lockArguments(lockKey(name))});
      delete from ${this.#table} where id in (
        select id from ${this.#table} where queue = ${sql} and expires_at <= statement_timestamp()
        for update skip locked
      );
      insert into ${this.#table} (queue, payload, expires_at)
      select ${sql}, ${textExpression(payload)}, statement_timestamp() + interval '1 millisecond' * ${Number(expiry)}
      where ${Number(capacity)} > (
        select count(*) from (select from ${this.#table} where queue = ${sql} limit ${Number(capacity)}) as waiting
      )
      returning true as pushed`);
    return rows.length > 0;
  }

  async pop(queue: string): Promise<string | undefined> {
    const [row] = await this.#connection.run(this.#pop, [this.#prefix + queue]);
    return row === undefined ? undefined : String(row.payload);
  }

  async flush(): Promise<void> {
    await this.#connection.run(`delete from ${this.#table} where starts_with(queue, $1)`, [this.#prefix]);
  }
}
