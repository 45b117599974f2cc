import { UsernameTaken, type UserStore } from "@sluice/core";
import { and, eq, sql } from "drizzle-orm";
import { assertText, isText, isUuid } from "./column-value.js";
import { type Connection, one } from "./connection.js";
import { users } from "./schema.js";
import { guarded, isUniqueViolation } from "./store-error.js";

/**
 * Accounts in the table `users`. It is the database that makes names lower-case to compare them: one with the locale C
 * knows of ASCII's letters only, any other of all.
 */
export function userStore(connection: Connection): UserStore {
  return {
    async create(user) {
      const { username, name, passwordHash, isSuperuser = false } = user;
      assertText({ username, name, passwordHash });
      try {
        const rows = await guarded(
          connection.insert(users).values({ username, name, passwordHash, isSuperuser }).returning(),
        );
        return one(rows);
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new UsernameTaken("A user with that username already exists.", { cause: error });
      }
    },

    async findById(id) {
      if (!isUuid(id)) return undefined;
      const [user] = await guarded(connection.select().from(users).where(eq(users.id, id)));
      return user;
    },

    async findByUsername(username) {
      if (!isText(username)) return undefined;
      const [user] = await guarded(
        connection
          .select()
          .from(users)
          .where(eq(sql`lower(${users.username})`, sql`lower(${username})`)),
      );
      return user;
    },

    async setPasswordHash(id, passwordHash, expected) {
      assertText({ passwordHash });
      if (!isUuid(id) || (expected !== undefined && !isText(expected))) return false;
      const same = expected === undefined ? undefined : eq(users.passwordHash, expected);
      const updated = await guarded(
        connection
          .update(users)
          .set({ passwordHash })
          .where(and(eq(users.id, id), same))
          .returning({ id: users.id }),
      );
      return updated.length > 0;
    },

    async setActive(id, isActive) {
      if (!isUuid(id)) return false;
      const updated = await guarded(
        connection.update(users).set({ isActive }).where(eq(users.id, id)).returning({ id: users.id }),
      );
      return updated.length > 0;
    },
  };
}
