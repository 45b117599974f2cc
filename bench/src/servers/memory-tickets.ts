import type { TicketRecord, TicketStore } from "@sluice/core";

/** Tickets in a map, beside servers that have them there, too. Whose they are nobody asks here. */
export class MemoryTickets implements TicketStore {
  readonly #tickets = new Map<string, TicketRecord>();

  async create(ticket: TicketRecord): Promise<void> {
    const now = Date.now();
    // The oldest stand first.
    for (const [digest, { expiresAt }] of this.#tickets) {
      if (expiresAt > now) break;
      this.#tickets.delete(digest);
    }
    this.#tickets.set(ticket.digest, ticket);
  }

  async consume(): Promise<never> {
    throw new TypeError("expected no ticket to be used: the site has no place for that");
  }
}
