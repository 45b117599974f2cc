import type { SessionRecord, SessionStore } from "@sluice/core";
import { and, eq, lt, ne, type SQL, sql } from "drizzle-orm";
import { assertJson, assertText, assertUserId, isText, isUuid } from "./column-value.js";
import type { Connection } from "./connection.js";
import { sessions } from "./schema.js";
import { guarded } from "./store-error.js";

/** Milliseconds that an expired session may lie: the processes' clocks may differ. */
const sweptAfter = 24 * 3_600_000;

/** Sessions in the table `sessions`. Each new one sweeps those that expired a day before. */
export function sessionStore(connection: Connection): SessionStore {
  return {
    async find(digest) {
      if (!isText(digest)) return undefined;
      const [row] = await guarded(connection.select().from(sessions).where(eq(sessions.digest, digest)));
      return row === undefined ? undefined : { ...row, userId: row.userId ?? undefined };
    },

    async create(session) {
      assertStorable(session);
      await guarded(connection.delete(sessions).where(lt(sessions.expiresAt, session.createdAt - sweptAfter)));
      await guarded(connection.insert(sessions).values(session));
    },

    async replace(digest, session) {
      assertStorable(session);
      await guarded(
        connection.transaction(async (transaction) => {
          if (isText(digest)) {
            await transaction
              .delete(sessions)
              .where(and(eq(sessions.digest, digest), ne(sessions.digest, session.digest)));
          }
          await transaction.insert(sessions).values(session);
        }),
      );
    },

    async save(digest, { set, remove }) {
      assertJson("data", set);
      for (const name of remove) assertJson("a name in data", name);
      if (!isText(digest)) return false;
      const saved = await guarded(
        connection
          .update(sessions)
          .set({ data: sql`(${sessions.data} || ${JSON.stringify(set)}::jsonb) - ${textArray(remove)}` })
          .where(eq(sessions.digest, digest))
          .returning({ digest: sessions.digest }),
      );
      return saved.length > 0;
    },

    async touch(digest, seenAt) {
      if (!isText(digest)) return;
      await guarded(connection.update(sessions).set({ lastSeenAt: seenAt }).where(eq(sessions.digest, digest)));
    },

    async remove(digest) {
      if (!isText(digest)) return false;
      const removed = await guarded(
        connection.delete(sessions).where(eq(sessions.digest, digest)).returning({ digest: sessions.digest }),
      );
      return removed.length > 0;
    },

    async removeAllOf(userId) {
      if (!isUuid(userId)) return 0;
      const removed = await guarded(
        connection.delete(sessions).where(eq(sessions.userId, userId)).returning({ digest: sessions.digest }),
      );
      return removed.length;
    },
  };
}

function assertStorable({ digest, userId, data }: SessionRecord): void {
  assertText({ digest });
  if (userId !== undefined) assertUserId(userId);
  assertJson("data", data);
}

/** The drivers differ in how they send an array; they agree on JSON. */
function textArray(values: readonly string[]): SQL {
  return sql`array(select jsonb_array_elements_text(${JSON.stringify(values)}::jsonb))`;
}
