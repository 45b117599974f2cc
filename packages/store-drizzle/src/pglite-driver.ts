import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { StoreUnavailable } from "@sluice/core";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import type { Driver } from "./connection.js";
import { DirectoryInUse, type DirectoryLock, lockDirectory } from "./directory-lock.js";
import { migrationsFolder } from "./migrations.js";

/** PostgreSQL inside this process, on a directory or in memory. */
export async function openPGlite(directory: string | undefined): Promise<Driver> {
  if (directory === undefined) return driverOn(await PGlite.create());

  const path = resolve(directory);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const lock = await lockDirectory(path);
    try {
      return driverOn(await openCluster(join(path, "cluster")), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw cannotOpen(path, error);
  }
}

function driverOn(client: PGlite, lock?: DirectoryLock): Driver {
  const connection = drizzle(client);
  return {
    connection,
    async query(text, values) {
      const { rows, rowCount = rows.length } = await client.query(text, [...values]);
      return { rows, rowCount };
    },
    migrate: () => migrate(connection, { migrationsFolder }),
    async close() {
      try {
        await client.close();
      } finally {
        await lock?.release();
      }
    },
  };
}

/**
 * Opens the files of a cluster, and makes them if they are not there: under another name first, because a process that
 * dies while it writes them would leave half a cluster, which no later start could open.
 */
async function openCluster(path: string): Promise<PGlite> {
  if (!existsSync(path)) {
    const draft = `${path}.new`;
    rmSync(draft, { recursive: true, force: true });
    await (await create(draft)).close();
    renameSync(draft, path);
  }
  return create(path);
}

/** A statement is answered when its effects are with the operating system, not before. */
function create(dataDir: string): Promise<PGlite> {
  return PGlite.create({ dataDir, relaxedDurability: false });
}

function cannotOpen(path: string, error: unknown): StoreUnavailable {
  return error instanceof DirectoryInUse
    ? new StoreUnavailable(
        `the database in ${path} is in use by process ${error.pid}: stop that first, or choose another directory`,
        { cause: error },
      )
    : new StoreUnavailable(`the database in ${path} cannot be opened: ${String(error)}`, { cause: error });
}
