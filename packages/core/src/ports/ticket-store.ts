import type { Grant } from "./token-verifier.js";
import type { UserRecord } from "./user-store.js";

/** A ticket as it is kept: by its digest, never as itself. */
export interface TicketRecord {
  /** SHA-256 of the ticket, hexadecimal. */
  readonly digest: string;
  readonly userId: string;
  /** Of the token it was asked for with; the user is looked up. Handed back as it was, as far as JSON can carry it. */
  readonly grant: Omit<Grant, "user">;
  /** The Origin header it is bound to; undefined for none. */
  readonly origin: string | undefined;
  readonly purpose: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface TicketStore {
  /** Also forgets those that expired long ago: tickets that nobody uses do not pile up. */
  create(ticket: TicketRecord): Promise<void>;
  /**
   * Takes a ticket out, and tells whose it is, as they are now. Of all who ask for one, in whatever process, exactly one
   * gets it. Does not judge expiry.
   */
  consume(digest: string): Promise<{ readonly ticket: TicketRecord; readonly user: UserRecord } | undefined>;
}
