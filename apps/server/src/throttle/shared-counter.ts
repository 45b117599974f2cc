import type { Logger } from "@sluice/core";
import type { Database, QueryResult } from "@sluice/store-drizzle";
import { RateLimiterPostgres } from "rate-limiter-flexible";
import { inMemory, type OpenCounter } from "./counter.js";

interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/**
 * Counts in a database that several processes share. While it cannot count, each process does so in its own memory: nobody
 * is kept out for that, and nobody guesses freely.
 */
export function inDatabase(database: Pick<Database, "query">, logger: Logger): OpenCounter {
  let isCounting = true;
  const storeClient = {
    async query({ text, values = [] }: Statement): Promise<QueryResult> {
      try {
        const result = await database.query(text, values);
        if (!isCounting) logger.info({}, "the database counts failed logins again");
        isCounting = true;
        return result;
      } catch (error) {
        if (isCounting)
          logger.warn({ err: error }, "the database cannot count failed logins: they are counted in memory");
        isCounting = false;
        throw error;
      }
    },
  };
  return (keyPrefix, duration) =>
    new RateLimiterPostgres({
      storeClient,
      storeType: "client",
      tableName: "rate_limits",
      tableCreated: true,
      keyPrefix,
      duration,
      points: 0,
      insuranceLimiter: inMemory(keyPrefix, duration),
    });
}
