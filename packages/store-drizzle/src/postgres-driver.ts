import { ConfigurationError } from "@sluice/core";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres, { type Options, type ParameterOrJSON, type Sql } from "postgres";
import type { Driver } from "./connection.js";
import { migrationsFolder } from "./migrations.js";

const defaultPoolSize = 10;

/** In seconds, as are all the driver's times. */
const connectTimeout = 5;
const closeTimeout = 5;

/** The longest pause before a lost server is called again, in seconds. The driver's own grows to 20. */
const longestPause = 1;

/** How long a migration waits for another process to finish its own, in milliseconds. */
const migrationPatience = 60_000;

/** PostgreSQL over a pool of connections. */
export function openPostgres(url: string, poolSize: number = defaultPoolSize): Driver {
  if (!Number.isSafeInteger(poolSize) || poolSize < 1) {
    throw new ConfigurationError(`expected a pool size that is a whole number from 1, got ${poolSize}`);
  }
  const pool = client(url, { max: poolSize });
  return {
    connection: drizzle(pool),
    async query(text, values) {
      const rows = await pool.unsafe(text, values as ParameterOrJSON<never>[]);
      return { rows, rowCount: rows.count };
    },
    migrate: () => migrateAlone(url),
    close: () => pool.end({ timeout: closeTimeout }),
  };
}

/**
 * Migrates on a connection of its own, under an advisory lock. The lock belongs to the connection: it is given back
 * when that closes, also when this process dies in the middle.
 */
async function migrateAlone(url: string): Promise<void> {
  const session = client(url, { max: 1, connection: { lock_timeout: migrationPatience } });
  try {
    await session`select pg_advisory_lock(hashtextextended('sluice migrations', 0))`;
    await migrate(drizzle(session), { migrationsFolder });
  } finally {
    await session.end({ timeout: closeTimeout });
  }
}

function client(url: string, options: Options<{}>): Sql {
  const { connection, ...rest } = options;
  if (!/^postgres(ql)?:\/\//.test(url)) throw notAUrl();
  try {
    return postgres(url, {
      connect_timeout: connectTimeout,
      backoff: (attempt) => Math.min(0.05 * 2 ** attempt, longestPause),
      // No type of ours has to be looked up in the server's catalogue first.
      fetch_types: false,
      onnotice: () => {},
      connection: { application_name: "sluice", TimeZone: "UTC", ...connection },
      ...rest,
    });
  } catch {
    throw notAUrl();
  }
}

/** Shows nothing of the URL and has no cause: both would hold the password. */
function notAUrl(): ConfigurationError {
  return new ConfigurationError(
    "expected a database URL such as postgres://user:password@host:5432/name, with special characters " +
      "percent-encoded, got something else",
  );
}
