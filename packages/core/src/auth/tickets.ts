import type { MaybePromise } from "../app.js";
import type { Clock } from "../ports/clock.js";
import { webDigest } from "../ports/digest.js";
import type { TicketStore } from "../ports/ticket-store.js";
import type { Grant } from "../ports/token-verifier.js";
import { checkRange } from "../session/check-range.js";
import { type AccountUser, accountUser } from "./account-user.js";
import { isTokenShaped, randomToken } from "./random-token.js";

/** What {@link Tickets} needs. */
export interface TicketsOptions {
  readonly store: TicketStore;
  readonly clock: Clock;
  /**
   * Whether the token that a ticket was asked for with is still good, as its store has it: it may have been revoked
   * meanwhile. Asked once for each ticket that is used. What `Leases` ask serves here as well.
   */
  readonly verify: (grant: Grant) => MaybePromise<boolean>;
  /** Milliseconds that a ticket is good for: 30,000 if left out, 1,000 to 300,000. */
  readonly lifetime?: number;
}

/** What a ticket is bound to, besides its user. */
export interface TicketUse {
  /** The Origin header: a page's ticket is good for that page's origin only, and that of a client without one nowhere else. */
  readonly origin: string | undefined;
  /** What it opens, in a word of the application's own: `"websocket"`. */
  readonly purpose: string;
}

/** A new ticket. This is the only time that `ticket` itself is at hand. */
export interface IssuedTicket {
  /** 256 random bits in base64url (RFC 4648 5): 43 characters. Goes to the client and nowhere else. */
  readonly ticket: string;
  /** Milliseconds. Less than a lifetime where its token ends before. */
  readonly expiresIn: number;
}

/**
 * Issues tickets, which stand for a token once and for seconds: they can be in a URL, where a browser has to put what it
 * opens a WebSocket with, and be worth nothing in the log that the URL ends up in. The store keeps digests only.
 *
 * What a ticket grants is what its token did: a connection that it opened ends with the token, by expiry or revocation.
 *
 * Throws `ConfigurationError` for a lifetime out of range.
 *
 * @example
 * const tickets = new Tickets({ store: database.tickets, clock: systemClock, verify });
 * const { ticket } = await tickets.issue(scope.grant, { origin: header(scope, "origin"), purpose: "chat" });
 *
 * const from = [fromHeader(), fromTicket(tickets, { purpose: "chat" })];
 * const gate = TokenAuth(chat, { verifier: tokens, from, onAnonymous: "deny" }); // wss://host/chat/?ticket=...
 */
export class Tickets {
  readonly #store: TicketStore;
  readonly #clock: Clock;
  readonly #verify: TicketsOptions["verify"];
  readonly #lifetime: number;

  constructor(options: TicketsOptions) {
    const { store, clock, verify, lifetime = 30_000 } = options;
    checkRange("lifetime", lifetime, 1_000, 300_000);
    this.#store = store;
    this.#clock = clock;
    this.#verify = verify;
    this.#lifetime = lifetime;
  }

  /** Makes a ticket for whom a token was verified. */
  async issue(grant: Grant, { origin, purpose }: TicketUse): Promise<IssuedTicket> {
    const { user, ...token } = grant;
    const now = this.#clock.now();
    // A verifier may tolerate a token that has just expired.
    const lifetime = Math.max(0, Math.min(this.#lifetime, (token.expiresAt ?? Number.POSITIVE_INFINITY) - now));
    const ticket = randomToken();
    await this.#store.create({
      digest: await webDigest(ticket),
      userId: user.id,
      grant: token,
      origin,
      purpose,
      expiresAt: now + lifetime,
    });
    return { ticket, expiresIn: lifetime };
  }

  /**
   * Uses a ticket up. What its token entitles to; undefined for one that is malformed, unknown, used or expired, for
   * another use than this, for a token that is no good any more, and for an inactive user: it does not say which.
   */
  consume(ticket: string, use: TicketUse): MaybePromise<Grant<AccountUser> | undefined> {
    return isTokenShaped(ticket) ? this.#consume(ticket, use) : undefined;
  }

  async #consume(text: string, { origin, purpose }: TicketUse): Promise<Grant<AccountUser> | undefined> {
    const found = await this.#store.consume(await webDigest(text));
    if (found === undefined || !found.user.isActive) return undefined;
    const { ticket, user } = found;
    if (ticket.expiresAt <= this.#clock.now() || ticket.origin !== origin || ticket.purpose !== purpose)
      return undefined;
    const grant = { ...ticket.grant, user: accountUser(user) };
    return (await this.#verify(grant)) ? grant : undefined;
  }
}
