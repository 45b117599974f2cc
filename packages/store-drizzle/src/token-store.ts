import type { TokenStore } from "@sluice/core";
import { eq } from "drizzle-orm";
import { assertText, assertUserId, isText, isUuid } from "./column-value.js";
import type { Connection } from "./connection.js";
import { tokens, users } from "./schema.js";
import { guarded } from "./store-error.js";

/** Opaque tokens in the table `tokens`. */
export function tokenStore(connection: Connection): TokenStore {
  return {
    async create(token) {
      const { digest, userId, createdAt, expiresAt } = token;
      assertText({ digest });
      assertUserId(userId);
      await guarded(connection.insert(tokens).values({ digest, userId, createdAt, expiresAt }));
    },

    async find(digest) {
      if (!isText(digest)) return undefined;
      const [row] = await guarded(
        connection
          .select({ token: tokens, user: users })
          .from(tokens)
          .innerJoin(users, eq(tokens.userId, users.id))
          .where(eq(tokens.digest, digest)),
      );
      if (row === undefined) return undefined;
      const { lastUsedAt, expiresAt, ...token } = row.token;
      return {
        token: { ...token, lastUsedAt: lastUsedAt ?? undefined, expiresAt: expiresAt ?? undefined },
        user: row.user,
      };
    },

    async touch(digest, usedAt) {
      if (!isText(digest)) return;
      await guarded(connection.update(tokens).set({ lastUsedAt: usedAt }).where(eq(tokens.digest, digest)));
    },

    async remove(digest) {
      if (!isText(digest)) return false;
      const removed = await guarded(
        connection.delete(tokens).where(eq(tokens.digest, digest)).returning({ digest: tokens.digest }),
      );
      return removed.length > 0;
    },

    async removeAllOf(userId) {
      if (!isUuid(userId)) return 0;
      const removed = await guarded(
        connection.delete(tokens).where(eq(tokens.userId, userId)).returning({ digest: tokens.digest }),
      );
      return removed.length;
    },
  };
}
