import { randomUUID } from "node:crypto";
import { OpaqueTokens, systemClock } from "@sluice/core";
import { openDatabase } from "@sluice/store-drizzle";
import { databaseUrl, databaseVariable } from "../servers/site.js";

export type MakeTokens = (count: number) => Promise<readonly string[]>;

/** Makes opaque tokens in the database of the run: all of one new user. */
export async function opaqueTokens(): Promise<MakeTokens> {
  const url = databaseUrl();
  if (url === undefined)
    throw new TypeError(`expected ${databaseVariable} in the environment, as a row needs a database`);
  const database = await openDatabase({ url });
  const tokens = new OpaqueTokens({ store: database.tokens, clock: systemClock });
  const user = await database.users.create({ username: `bench-${randomUUID()}`, name: "Bench", passwordHash: "none" });
  return (count) => Promise.all(Array.from({ length: count }, async () => (await tokens.issue(user.id)).token));
}
