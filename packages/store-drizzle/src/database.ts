import {
  type MessageStore,
  type RefreshTokenStore,
  type RevocationStore,
  type SessionStore,
  StoreUnavailable,
  type TicketStore,
  type TokenStore,
  type UserStore,
} from "@sluice/core";
import { sql } from "drizzle-orm";
import type { Driver, QueryResult } from "./connection.js";
import { messageStore } from "./message-store.js";
import { openPGlite } from "./pglite-driver.js";
import { openPostgres } from "./postgres-driver.js";
import { refreshTokenStore } from "./refresh-token-store.js";
import { revocationStore } from "./revocation-store.js";
import { sessionStore } from "./session-store.js";
import { guarded } from "./store-error.js";
import { ticketStore } from "./ticket-store.js";
import { tokenStore } from "./token-store.js";
import { userStore } from "./user-store.js";

/**
 * A database and what is kept in it. Its stores reject with `StoreUnavailable` while it cannot be reached, and with a
 * `TypeError` for text with NUL characters and for the id of a user there is not.
 */
export interface Database {
  readonly users: UserStore;
  readonly tokens: TokenStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly tickets: TicketStore;
  readonly revocations: RevocationStore;
  readonly sessions: SessionStore;
  readonly messages: MessageStore;
  /** For a library that brings its own statements: PostgreSQL's SQL, with `$1` and so on for the values. */
  query(text: string, values: readonly unknown[]): Promise<QueryResult>;
  /** Brings the tables up to date. Safe to call from several processes at once: one works, the others wait. */
  migrate(): Promise<void>;
  /** Resolves if the database answers; rejects with `StoreUnavailable`, after five seconds at the latest. */
  ping(): Promise<void>;
  /** Lets statements that are under way finish, for five seconds at most, and gives back what is held. */
  close(): Promise<void>;
}

/** Where the data are. */
export type DatabaseLocation =
  /** A PostgreSQL server: `postgres://user:password@host:port/database`. */
  | {
      readonly url: string;
      /** Connections at most; 10 if left out. */
      readonly poolSize?: number;
    }
  /**
   * A directory of this machine, with PostgreSQL inside this process (PGlite). It is made if it is not there, for its
   * owner only. One process at a time may have it open. What was acknowledged outlives the process, however it ends;
   * PGlite does not flush to the disk, so a power failure can lose the last moments.
   */
  | { readonly directory: string }
  /** Nowhere: PGlite again, and all is gone when it is closed. */
  | { readonly memory: true };

/** How long a ping waits for its answer, in milliseconds. */
const pingTimeout = 5000;

/**
 * Opens a database. Call `migrate()` before the stores are used.
 *
 * A URL that cannot be one is a `ConfigurationError`; its server is not called before it is needed. A directory that
 * another process has open, or that cannot be used, is `StoreUnavailable`.
 *
 * @example
 * const database = await openDatabase({ directory: ".data" });
 * await database.migrate();
 * const user = await database.users.findByUsername("alice");
 */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  const driver = await openDriver(location);
  const { connection } = driver;
  let migrating: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  return {
    users: userStore(connection),
    tokens: tokenStore(connection),
    refreshTokens: refreshTokenStore(connection),
    tickets: ticketStore(connection),
    revocations: revocationStore(connection),
    sessions: sessionStore(connection),
    messages: messageStore(connection),
    query: (text, values) => guarded(driver.query(text, values)),
    migrate() {
      migrating ??= guarded(driver.migrate()).finally(() => {
        migrating = undefined;
      });
      return migrating;
    },
    ping: () => within(pingTimeout, guarded(connection.execute(sql`select 1`))),
    close() {
      closed ??= driver.close();
      return closed;
    },
  };
}

function openDriver(location: DatabaseLocation): Promise<Driver> | Driver {
  if ("url" in location) return openPostgres(location.url, location.poolSize);
  return openPGlite("directory" in location ? location.directory : undefined);
}

async function within(milliseconds: number, answer: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const error = new StoreUnavailable(`the database did not answer within ${milliseconds} ms`);
    timer = setTimeout(() => reject(error), milliseconds);
  });
  try {
    await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
