import type { MessageRecord, MessageStore } from "@sluice/core";
import { desc, eq } from "drizzle-orm";
import { assertText, assertUserId, isText } from "./column-value.js";
import { type Connection, one } from "./connection.js";
import { messages, users } from "./schema.js";
import { guarded } from "./store-error.js";

const sender = { id: users.id, username: users.username, name: users.name };

/** Messages in the table `messages`, whose ids count up in the order in which messages came. */
export function messageStore(connection: Connection): MessageStore {
  return {
    async append(message) {
      const { room, senderId, text } = message;
      assertText({ room, text });
      assertUserId(senderId);
      const inserted = connection
        .$with("inserted")
        .as(connection.insert(messages).values({ room, senderId, text }).returning());
      const rows = await guarded(
        connection
          .with(inserted)
          .select({ id: inserted.id, room: inserted.room, sender, text: inserted.text, sentAt: inserted.sentAt })
          .from(inserted)
          .innerJoin(users, eq(users.id, inserted.senderId)),
      );
      return one(rows.map(asRecord));
    },

    async recent(room, limit) {
      if (!Number.isSafeInteger(limit) || limit < 0) {
        throw new TypeError(`expected a limit that is a whole number from 0, got ${limit}`);
      }
      if (!isText(room)) return [];
      const rows = await guarded(
        connection
          .select({ id: messages.id, room: messages.room, sender, text: messages.text, sentAt: messages.sentAt })
          .from(messages)
          .innerJoin(users, eq(users.id, messages.senderId))
          .where(eq(messages.room, room))
          .orderBy(desc(messages.id))
          .limit(limit),
      );
      return rows.map(asRecord).reverse();
    },
  };
}

function asRecord(row: Omit<MessageRecord, "id"> & { readonly id: bigint }): MessageRecord {
  return { ...row, id: String(row.id) };
}
