import { lockArguments, lockKey } from "./channel-name.js";
import type { Connection } from "./connection.js";
import { identifier } from "./sql-text.js";

/** The tables of all layers in a database, as they are named in a statement whatever its search path is. */
export interface Tables {
  /** What waits in named channels. */
  readonly queue: string;
  /** Payloads that are too long for a notification. */
  readonly payloads: string;
}

/**
 * Unlogged, as what they hold lives for a minute: a crash of the server empties them. The queue's dead rows are cleared away
 * soon, because a reader has to step over them.
 */
const create = `
  select pg_advisory_xact_lock(${lockArguments(lockKey("sluice layer tables"))});
  create unlogged table if not exists sluice_layer_payloads (
    id uuid primary key,
    payload text not null,
    expires_at timestamptz not null
  );
  create index if not exists sluice_layer_payloads_expires_at on sluice_layer_payloads (expires_at);
  create unlogged table if not exists sluice_layer_queue (
    id bigint generated always as identity primary key,
    queue text collate "C" not null,
    payload text not null,
    expires_at timestamptz not null
  ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
  create index if not exists sluice_layer_queue_queue on sluice_layer_queue (queue, id);
  create index if not exists sluice_layer_queue_expires_at on sluice_layer_queue (expires_at);
`;

const find = `
  select c.relname as name, n.nspname as schema
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid in (to_regclass('sluice_layer_queue'), to_regclass('sluice_layer_payloads'))
`;

/**
 * Makes the tables, where the search path does not lead to them yet. Safe in several processes at once; where they are
 * there, it takes no right to make tables.
 */
export async function tables(connection: Connection): Promise<Tables> {
  const found = await existing(connection);
  if (found !== undefined) return found;
  await connection.run(create);
  return (await existing(connection)) ?? missing();
}

async function existing(connection: Connection): Promise<Tables | undefined> {
  const rows = await connection.run(find);
  const named = (name: string): string | undefined => {
    const row = rows.find((found) => found.name === name);
    return row && `${identifier(String(row.schema))}.${name}`;
  };
  const queue = named("sluice_layer_queue");
  const payloads = named("sluice_layer_payloads");
  return queue && payloads ? { queue, payloads } : undefined;
}

function missing(): never {
  throw new Error("the tables of the channel layer were made and are not to be found on the search path");
}
