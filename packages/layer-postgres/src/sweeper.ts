import type { Connection } from "./connection.js";
import type { Tables } from "./tables.js";

/** Milliseconds between two rounds, on average: every process makes its own. */
const interval = 30_000;
const largestBatch = 500;

/** Clears away what has expired and nobody will ask for, of all layers in the database. */
export class Sweeper {
  readonly #connection: Connection;
  readonly #tables: Tables;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: Connection, tables: Tables) {
    this.#connection = connection;
    this.#tables = tables;
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Some rows of each table; several processes at once take different ones, and nobody waits for them. */
  async sweep(): Promise<void> {
    for (const table of [this.#tables.payloads, this.#tables.queue]) {
      await this.#connection.run(
        `delete from ${table} where id in (
          select id from ${table} where expires_at < statement_timestamp() limit ${largestBatch} for update skip locked
        )`,
        [],
      );
    }
  }

  #schedule(): void {
    this.#timer = setTimeout(
      () => {
        // Where it fails the connection is lost, or the next round does better.
        this.sweep().catch(() => {});
        this.#schedule();
      },
      interval * (0.5 + Math.random()),
    ).unref();
  }
}
