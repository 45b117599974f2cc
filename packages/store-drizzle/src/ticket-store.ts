import type { TicketStore } from "@sluice/core";
import { eq, inArray, lt, sql } from "drizzle-orm";
import { assertText, assertUserId, isText } from "./column-value.js";
import type { Connection } from "./connection.js";
import { tickets, users } from "./schema.js";
import { guarded } from "./store-error.js";

/** How many leftovers a new ticket sweeps: more than one, so that they get fewer. */
const swept = 10;

/**
 * Tickets in the table `tickets`. Each new one sweeps some of those that have expired, an hour after they did: the
 * database's clock may be ahead of a server's. It passes over those that another one is sweeping, and so waits for nobody.
 */
export function ticketStore(connection: Connection): TicketStore {
  return {
    async create(ticket) {
      const { digest, userId, grant, origin, purpose, expiresAt } = ticket;
      assertText({ digest, purpose, ...(origin === undefined ? {} : { origin }) });
      assertUserId(userId);
      const leftovers = connection
        .select({ digest: tickets.digest })
        .from(tickets)
        .where(lt(tickets.expiresAt, sql`now() - interval '1 hour'`))
        .orderBy(tickets.expiresAt)
        .limit(swept)
        .for("update", { skipLocked: true });
      const sweep = connection
        .$with("sweep")
        .as(connection.delete(tickets).where(inArray(tickets.digest, leftovers)).returning({ digest: tickets.digest }));
      await guarded(
        connection.with(sweep).insert(tickets).values({ digest, userId, grant, origin, purpose, expiresAt }),
      );
    },

    async consume(digest) {
      if (!isText(digest)) return undefined;
      const consumed = connection
        .$with("consumed")
        .as(connection.delete(tickets).where(eq(tickets.digest, digest)).returning());
      const [row] = await guarded(
        connection.with(consumed).select().from(consumed).innerJoin(users, eq(users.id, consumed.userId)),
      );
      if (row === undefined) return undefined;
      return { ticket: { ...row.consumed, origin: row.consumed.origin ?? undefined }, user: row.users };
    },
  };
}
