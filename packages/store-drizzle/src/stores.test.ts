import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeContract } from "@sluice/testing/contract";
import { afterAll, describe } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { type Database, type DatabaseLocation, openDatabase } from "./database.js";

async function migrated(location: DatabaseLocation): Promise<Database> {
  const database = await openDatabase(location);
  await database.migrate();
  return database;
}

storeContract({ name: "PGlite in memory", open: () => migrated({ memory: true }) });

describe("on a disk", () => {
  const made: string[] = [];
  afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

  storeContract({
    name: "PGlite in a directory",
    async open() {
      const directory = await mkdtemp(join(tmpdir(), "sluice-store-"));
      made.push(directory);
      return migrated({ directory });
    },
  });
});

describePostgres(() => {
  storeContract({ name: "PostgreSQL", open: async () => migrated({ url: await freshDatabase() }) });
});
