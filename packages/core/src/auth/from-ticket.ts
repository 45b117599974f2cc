import { header } from "../scope.js";
import type { AccountUser } from "./account-user.js";
import { type Carrier, fromQuery } from "./carriers.js";
import type { Tickets } from "./tickets.js";

export interface FromTicketOptions {
  /** What tickets are to be good for here: those that were issued for anything else are refused. */
  readonly purpose: string;
  /** The parameter of the URL that carries one; `"ticket"` if left out. */
  readonly parameter?: string;
}

/**
 * A ticket in the URL, which is used up by the request that presents it, whatever becomes of that: see `Tickets`. For a
 * WebSocket's handshake, which a browser neither repeats nor makes ahead of its time, as it may a request.
 *
 * The Origin header has to be that of the request which asked for the ticket. Stands inside of the origin check, so that no
 * foreign page uses a ticket up.
 *
 * @example
 * TokenAuth(chat, { verifier, from: [fromHeader(), fromTicket(tickets, { purpose: "websocket" })] })
 */
export function fromTicket(tickets: Tickets, options: FromTicketOptions): Carrier<AccountUser> {
  const { purpose, parameter = "ticket" } = options;
  return {
    name: "ticket",
    find: fromQuery(parameter).find,
    verifierFor: (scope) => ({
      verify: (ticket) => tickets.consume(ticket, { origin: header(scope, "origin"), purpose }),
    }),
  };
}
