import type { LayerMessage } from "@sluice/core";
import { channelName } from "./channel-name.js";
import { notification } from "./notification.js";
import { textExpression } from "./sql-text.js";
import type { Tables } from "./tables.js";

/**
 * A transaction of Drizzle's on PostgreSQL, whatever the driver: postgres.js, node-postgres or PGlite. A database object of
 * Drizzle's fits, too, and is a transaction of one statement.
 */
export interface Transaction {
  execute(statement: string): PromiseLike<unknown>;
}

/** Seconds for which a stored payload is kept: it becomes visible only at the commit, which may be a while away. */
const transactionExpiry = 3_600;

/** The groups as a transaction sees them. */
export interface GroupsInTransaction {
  /**
   * Sends to every member of the group when the transaction commits, and never if it does not. Rejects with a `TypeError`
   * as the layer's own does, and with the error of the transaction's driver.
   */
  groupSend(group: string, message: LayerMessage): Promise<void>;
}

/** The statement that publishes. It has no parameters, since not every driver would take them in one form. */
export function publishStatement(prefix: string, topic: string, payload: string, tables: Tables): string {
  const { text, stored } = notification(payload);
  const notify = `select pg_notify(${textExpression(channelName(prefix, topic))}, ${textExpression(text)})`;
  if (stored === undefined) return notify;
  return `
    with stored as (
      insert into ${tables.payloads} (id, payload, expires_at)
      values ('${stored.id}', ${textExpression(stored.payload)}, clock_timestamp() + interval '${transactionExpiry} seconds')
    ) ${notify}`;
}
