import type { FoundToken, TokenRecord, TokenStore } from "@sluice/core";
import { and, desc, eq, inArray, ne, type SQL, sql } from "drizzle-orm";
import { makePgArray } from "drizzle-orm/pg-core";
import { assertText, assertUserId, isText, isUuid } from "./column-value.js";
import type { Connection } from "./connection.js";
import { tokens, users } from "./schema.js";
import { guarded } from "./store-error.js";

/** Opaque tokens in the table `tokens`. */
export function tokenStore(connection: Connection): TokenStore {
  const select = (which: SQL): Promise<Row[]> =>
    guarded(
      connection
        .select({ token: tokens, user: users })
        .from(tokens)
        .innerJoin(users, eq(tokens.userId, users.id))
        .where(which),
    );
  return {
    async create(token) {
      const { digest, userId, createdAt, expiresAt, userAgent } = token;
      assertText({ digest, userAgent: userAgent ?? "" });
      assertUserId(userId);
      await guarded(connection.insert(tokens).values({ digest, userId, createdAt, expiresAt, userAgent }));
    },

    async find(digest) {
      if (!isText(digest)) return undefined;
      const [row] = await select(eq(tokens.digest, digest));
      return row && foundToken(row);
    },

    async findAll(digests) {
      const texts = digests.filter(isText);
      return texts.length === 0 ? [] : (await select(isOneOf(texts))).map(foundToken);
    },

    async touch(digests, usedAt) {
      const texts = digests.filter(isText);
      if (texts.length === 0) return;
      // Two processes that touch the same tokens in different orders would wait for each other.
      const free = connection
        .select({ digest: tokens.digest })
        .from(tokens)
        .where(isOneOf(texts))
        .for("no key update", { skipLocked: true });
      await guarded(connection.update(tokens).set({ lastUsedAt: usedAt }).where(inArray(tokens.digest, free)));
    },

    async remove(digest) {
      if (!isText(digest)) return false;
      const removed = await guarded(
        connection.delete(tokens).where(eq(tokens.digest, digest)).returning({ digest: tokens.digest }),
      );
      return removed.length > 0;
    },

    async listOf(userId, limit) {
      if (!isUuid(userId)) return [];
      const rows = await guarded(
        connection
          .select()
          .from(tokens)
          .where(eq(tokens.userId, userId))
          .orderBy(desc(sql`greatest(${tokens.lastUsedAt}, ${tokens.createdAt})`), tokens.digest)
          .limit(limit),
      );
      return rows.map(asToken);
    },

    async removeAllOf(userId, except) {
      if (!isUuid(userId)) return 0;
      const others = except === undefined || !isText(except) ? undefined : ne(tokens.digest, except);
      const removed = await guarded(
        connection
          .delete(tokens)
          .where(and(eq(tokens.userId, userId), others))
          .returning({ digest: tokens.digest }),
      );
      return removed.length;
    },
  };
}

interface Row {
  readonly token: typeof tokens.$inferSelect;
  readonly user: typeof users.$inferSelect;
}

function foundToken({ token, user }: Row): FoundToken {
  return { token: asToken(token), user };
}

function asToken({ lastUsedAt, expiresAt, userAgent, ...token }: Row["token"]): TokenRecord {
  return {
    ...token,
    lastUsedAt: lastUsedAt ?? undefined,
    expiresAt: expiresAt ?? undefined,
    userAgent: userAgent ?? undefined,
  };
}

/** One parameter, however many digests: with one for each, every number of them would be a statement of its own to prepare. */
function isOneOf(digests: readonly string[]): SQL {
  return sql`${tokens.digest} = any(${makePgArray([...digests])}::text[])`;
}
