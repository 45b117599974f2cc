import { hash } from "node:crypto";
import postgres from "postgres";
import type { User } from "./by-hand.js";

/** Looks opaque tokens up in the tables of `@sluice/store-drizzle`, with a query for each. */
export function openTokens(url: string): (token: string) => Promise<User | undefined> {
  const sql = postgres(url, { max: 10, onnotice: () => {} });
  return async (token) => {
    const [user] = await sql<User[]>`
      select users.id, users.username, users.name
      from tokens join users on users.id = tokens.user_id
      where tokens.digest = ${hash("sha256", token, "hex")}
        and users.is_active and (tokens.expires_at is null or tokens.expires_at > now())`;
    return user;
  };
}
