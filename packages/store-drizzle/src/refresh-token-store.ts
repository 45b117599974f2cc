import type { RefreshFamily, RefreshTokenStore } from "@sluice/core";
import { and, desc, eq, lt, ne, sql } from "drizzle-orm";
import { assertText, assertUserId, isText, isUuid } from "./column-value.js";
import type { Connection } from "./connection.js";
import { refreshFamilies, users } from "./schema.js";
import { guarded } from "./store-error.js";

/**
 * Families of refresh tokens in the table `refresh_families`. Each new one sweeps those that have expired, a day after they
 * did: the database's clock may be ahead of a server's, and the access tokens of a family may outlive it a little.
 */
export function refreshTokenStore(connection: Connection): RefreshTokenStore {
  return {
    async create({ scopes, previous, ...family }) {
      const { id, current, userId, userAgent = "" } = family;
      assertText({ id, current, userAgent, ...previousText(previous), scopes: scopes?.join(" ") ?? "" });
      assertUserId(userId);
      await guarded(
        connection.delete(refreshFamilies).where(lt(refreshFamilies.expiresAt, sql`now() - interval '1 day'`)),
      );
      const values = { ...family, ...previousColumns(previous), scopes: scopes === undefined ? null : [...scopes] };
      await guarded(connection.insert(refreshFamilies).values(values));
    },

    async find(id) {
      if (!isText(id)) return undefined;
      const [row] = await guarded(
        connection
          .select({ family: refreshFamilies, user: users })
          .from(refreshFamilies)
          .innerJoin(users, eq(refreshFamilies.userId, users.id))
          .where(eq(refreshFamilies.id, id)),
      );
      return row && { family: asFamily(row.family), user: row.user };
    },

    async replace(id, current, { previous, ...next }) {
      assertText({ "next.current": next.current, ...previousText(previous) });
      if (!isText(id) || !isText(current)) return false;
      const replaced = await guarded(
        connection
          .update(refreshFamilies)
          .set({ ...next, ...previousColumns(previous) })
          .where(and(eq(refreshFamilies.id, id), eq(refreshFamilies.current, current)))
          .returning({ id: refreshFamilies.id }),
      );
      return replaced.length > 0;
    },

    async remove(id) {
      if (!isText(id)) return false;
      const removed = await guarded(
        connection.delete(refreshFamilies).where(eq(refreshFamilies.id, id)).returning({ id: refreshFamilies.id }),
      );
      return removed.length > 0;
    },

    async listOf(userId, limit) {
      if (!isUuid(userId)) return [];
      const rows = await guarded(
        connection
          .select()
          .from(refreshFamilies)
          .where(eq(refreshFamilies.userId, userId))
          .orderBy(desc(refreshFamilies.lastUsedAt), refreshFamilies.id)
          .limit(limit),
      );
      return rows.map(asFamily);
    },

    async removeAllOf(userId, except) {
      if (!isUuid(userId)) return 0;
      const others = except === undefined || !isText(except) ? undefined : ne(refreshFamilies.id, except);
      const removed = await guarded(
        connection
          .delete(refreshFamilies)
          .where(and(eq(refreshFamilies.userId, userId), others))
          .returning({ id: refreshFamilies.id }),
      );
      return removed.length;
    },
  };
}

function previousText(previous: RefreshFamily["previous"]): Readonly<Record<string, string>> {
  return previous === undefined ? {} : { "previous.digest": previous.digest, "previous.salt": previous.salt };
}

function previousColumns(previous: RefreshFamily["previous"]) {
  return {
    previousDigest: previous?.digest ?? null,
    previousSalt: previous?.salt ?? null,
    previousUntil: previous?.until ?? null,
  };
}

function asFamily(row: typeof refreshFamilies.$inferSelect): RefreshFamily {
  const { scopes, userAgent, previousDigest: digest, previousSalt: salt, previousUntil: until, ...family } = row;
  return {
    ...family,
    scopes: scopes ?? undefined,
    userAgent: userAgent ?? undefined,
    previous: digest === null || salt === null || until === null ? undefined : { digest, salt, until },
  };
}
