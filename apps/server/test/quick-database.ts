import { inject } from "vitest";
import { freshDatabase } from "../../../test/fresh-database.js";

/**
 * Settings for a server that starts fast: on the run's PostgreSQL, if it has one. Without them a server starts a database
 * of its own.
 */
export async function quickDatabase(): Promise<Record<string, string>> {
  if ("missing" in inject("postgres")) return {};
  return { DATABASE_URL: await freshDatabase(), SECRET_KEY: "a secret of the test's, 32 bytes long" };
}
