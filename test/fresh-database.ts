import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { describe, inject } from "vitest";

/**
 * A group of tests that need PostgreSQL. Where the run has none, they are shown as skipped, with the reason in the
 * group's name.
 */
export function describePostgres(suite: () => void): void {
  const server = inject("postgres");
  if ("url" in server) describe("PostgreSQL", suite);
  else describe.skip(`PostgreSQL (skipped: ${server.missing})`, suite);
}

/** Makes an empty database on the run's PostgreSQL, and gives its URL. It is dropped when the run ends. */
export async function freshDatabase(): Promise<string> {
  const server = inject("postgres");
  if ("missing" in server) throw new Error(`this run has no PostgreSQL: ${server.missing}`);

  const name = `${server.prefix}${randomBytes(6).toString("hex")}`;
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  try {
    await sql`create database ${sql(name)}`;
  } finally {
    await sql.end({ timeout: 5 });
  }
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}
