import type { TicketRecord } from "@sluice/core";
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

/** A moment: milliseconds since 1970 in the ports, a timestamp with time zone for whoever reads the tables. */
const moment = customType<{ data: number; driverData: string }>({
  dataType: () => "timestamp (3) with time zone",
  toDriver: (milliseconds) => new Date(milliseconds).toISOString(),
  fromDriver: (timestamp) => Date.parse(timestamp),
});

export const users = pgTable(
  "users",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    username: text("username").notNull(),
    name: text("name").notNull(),
    passwordHash: text("password_hash").notNull(),
    isActive: boolean("is_active").notNull().default(true),
    isSuperuser: boolean("is_superuser").notNull().default(false),
    createdAt: moment("created_at").notNull().default(sql`now()`),
  },
  (table) => [uniqueIndex("users_username_key").on(sql`lower(${table.username})`)],
);

export const tokens = pgTable(
  "tokens",
  {
    digest: text("digest").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    createdAt: moment("created_at").notNull(),
    lastUsedAt: moment("last_used_at"),
    expiresAt: moment("expires_at"),
    userAgent: text("user_agent"),
  },
  (table) => [index("tokens_user_id").on(table.userId)],
);

export const tickets = pgTable(
  "tickets",
  {
    digest: text("digest").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    /** Handed back and never looked into: json keeps any text, where jsonb does not. */
    grant: json("token_grant").$type<TicketRecord["grant"]>().notNull(),
    origin: text("origin"),
    purpose: text("purpose").notNull(),
    expiresAt: moment("expires_at").notNull(),
  },
  (table) => [index("tickets_expires_at").on(table.expiresAt)],
);

export const revokedTokens = pgTable(
  "revoked_tokens",
  {
    tokenId: text("token_id").primaryKey(),
    expiresAt: moment("expires_at").notNull(),
  },
  (table) => [index("revoked_tokens_expires_at").on(table.expiresAt)],
);

/** Since when the tokens of a user are good; those of most are without such a moment. */
export const revokedUsers = pgTable("revoked_users", {
  userId: uuid("user_id")
    .primaryKey()
    .references(() => users.id, { onDelete: "cascade" }),
  issuedBefore: moment("issued_before").notNull(),
});

export const refreshFamilies = pgTable(
  "refresh_families",
  {
    id: text("id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    scopes: text("scopes").array(),
    createdAt: moment("created_at").notNull(),
    lastUsedAt: moment("last_used_at").notNull().default(sql`now()`),
    userAgent: text("user_agent"),
    expiresAt: moment("expires_at").notNull(),
    current: text("current").notNull(),
    /** These three are there together or not at all. */
    previousDigest: text("previous_digest"),
    previousSalt: text("previous_salt"),
    previousUntil: moment("previous_until"),
  },
  (table) => [
    index("refresh_families_user_id").on(table.userId),
    index("refresh_families_expires_at").on(table.expiresAt),
  ],
);

export const sessions = pgTable(
  "sessions",
  {
    digest: text("digest").primaryKey(),
    userId: uuid("user_id").references(() => users.id, { onDelete: "cascade" }),
    data: jsonb("data").$type<Readonly<Record<string, unknown>>>().notNull(),
    createdAt: moment("created_at").notNull(),
    lastSeenAt: moment("last_seen_at").notNull(),
    expiresAt: moment("expires_at").notNull(),
  },
  (table) => [index("sessions_user_id").on(table.userId), index("sessions_expires_at").on(table.expiresAt)],
);

export const messages = pgTable(
  "messages",
  {
    /** Counts up as messages come in: the order within a room, where the clock may jump. */
    id: bigint("id", { mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
    room: text("room").notNull(),
    senderId: uuid("sender_id")
      .notNull()
      .references(() => users.id),
    text: text("text").notNull(),
    sentAt: moment("sent_at").notNull().default(sql`now()`),
  },
  (table) => [index("messages_room_id").on(table.room, table.id)],
);

/** What `RateLimiterPostgres` of rate-limiter-flexible counts in: the names, and their order, are that library's. */
export const rateLimits = pgTable(
  "rate_limits",
  {
    key: text("key").primaryKey(),
    points: integer("points").notNull().default(0),
    /** Milliseconds since 1970. */
    expire: bigint("expire", { mode: "number" }),
  },
  (table) => [index("rate_limits_expire").on(table.expire)],
);
