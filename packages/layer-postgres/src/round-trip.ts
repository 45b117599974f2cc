import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigurationError } from "@sluice/core";
import type { Connection } from "./connection.js";
import { identifier } from "./sql-text.js";

/**
 * Sends a notification from one connection to the other. A transaction pooler takes `LISTEN` without a word, and lends the
 * session that listens to somebody else: everything would seem to work, and nothing would arrive. Throws
 * `ConfigurationError` where that is so.
 *
 * To be called before anything is set on the sessions, as they may be lent on; and without prepared statements, as a pooler
 * may not know them.
 */
export async function checkRoundTrip(
  notifications: Connection,
  queries: Connection,
  /** Calls back with the names of channels on which something arrives on `notifications`. */
  arrivals: (heard: (channel: string) => void) => void,
  /** Milliseconds that a notification may take. */
  patience: number,
): Promise<void> {
  const channel = `sluice-${randomUUID()}`;
  const arrived = new Promise<true>((resolve) => arrivals((name) => name === channel && resolve(true)));
  await notifications.run(`listen ${identifier(channel)}`);
  await queries.run(`notify ${identifier(channel)}`);
  if (!(await Promise.race([arrived, sleep(patience, false, { ref: false })]))) {
    // An answer to this comes after all notifications that were there before.
    await notifications.run("select 1");
    if (!(await Promise.race([arrived, sleep(0, false)]))) throw pooled();
  }
  await notifications.run(`unlisten ${identifier(channel)}`);
}

function pooled(): ConfigurationError {
  return new ConfigurationError(
    "the database URL of the channel layer leads to a transaction pooler, such as PgBouncer, Supavisor or RDS Proxy: " +
      "LISTEN was accepted, but a NOTIFY did not arrive. Give the layer the URL of the PostgreSQL server itself, or of a " +
      "pool in session mode; the application's own queries may stay with the pooler",
  );
}
