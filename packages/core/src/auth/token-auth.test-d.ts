import type { App } from "../app.js";
import { provide, stack } from "../middleware.js";
import type { TokenVerifier } from "../ports/token-verifier.js";
import type { AccountUser } from "./account-user.js";
import type { MaybeAuthenticated } from "./authenticated.js";
import { type Carrier, fromHeader } from "./carriers.js";
import { fromTicket } from "./from-ticket.js";
import type { Tickets } from "./tickets.js";
import { TokenAuth } from "./token-auth.js";
import type { AnonymousUser, User } from "./user.js";

interface Member extends User {
  readonly plan: "free" | "paid";
}

declare const verifier: TokenVerifier<Member>;
const from = [fromHeader()];

declare const forMembers: App<"websocket", { user: Member; messages: string[] }>;
declare const forAnyone: App<"websocket", { user: User | AnonymousUser }>;
declare const forAdmins: App<"websocket", { user: Member & { admin: true } }>;
declare const everything: App;

// What an application needs of the user is met, and what else it needs stays needed.
const guarded = TokenAuth(forMembers, { verifier, from, onAnonymous: "deny" });
export const stillNeedsMessages: App<"websocket", { messages: string[] }> = guarded;
// @ts-expect-error messages are not a matter of tokens
export const needsNothing: App<"websocket"> = guarded;
export const complete: App<"websocket"> = provide(() => ({ messages: [""] }))(guarded);

export const anyone: App<"websocket"> = TokenAuth(forAnyone, { verifier, from });
export const also: App<"websocket"> = TokenAuth(forAnyone, { verifier, from, onAnonymous: "deny" });
export const both: App<"http" | "websocket"> = TokenAuth(everything, { verifier, from });

// @ts-expect-error an anonymous user is no member: refuse anonymous connections, or handle them
TokenAuth(forMembers, { verifier, from });
// @ts-expect-error the verifier knows no admins
TokenAuth(forAdmins, { verifier, from, onAnonymous: "deny" });
// @ts-expect-error the verifier is missing
TokenAuth(forAnyone, { from });
// @ts-expect-error not one of the two
TokenAuth(forAnyone, { verifier, from, onAnonymous: "maybe" });

// As middleware, inner scopes are typed by the verifier.
export const stacked: App<"websocket"> = stack<"websocket">()
  .use(TokenAuth({ verifier, from, onAnonymous: "deny" }))
  .app((scope) => {
    const plan: "free" | "paid" = scope.user.plan;
    const id: string = scope.grant.tokenId;
    void [plan, id];
  });
stack<"websocket">()
  .use(TokenAuth({ verifier, from }))
  .app((scope) => {
    // @ts-expect-error nobody said that the user is known
    scope.user.plan;
    if (scope.user.isAuthenticated) scope.user.plan satisfies string;
  });

// In place, too.
export const inline: App<"websocket"> = TokenAuth((scope) => void scope.user.plan, {
  verifier,
  from,
  onAnonymous: "deny",
});
export const exact: App<"websocket", MaybeAuthenticated<Member>> = (scope) => void scope.grant?.user.plan;

// A carrier that brings its verifier has to know the same users as the other, or more of them.
declare const tickets: Tickets;
declare const accounts: TokenVerifier<AccountUser>;
declare const strangers: TokenVerifier;
const fromEither = [fromHeader(), fromTicket(tickets, { purpose: "chat" })];
export const byTicket: App<"websocket"> = TokenAuth((scope) => void scope.user.isSuperuser, {
  verifier: accounts,
  from: fromEither,
  onAnonymous: "deny",
});
export const byTicketToo: App<"websocket"> = TokenAuth(forAnyone, { verifier: strangers, from: fromEither });
// @ts-expect-error who comes by a ticket has no plan
TokenAuth(forMembers, { verifier, from: fromEither, onAnonymous: "deny" });
// @ts-expect-error nor where the application does not ask for one
TokenAuth(forAnyone, { verifier, from: fromEither });
// @ts-expect-error what a ticket is good for has to be said
fromTicket(tickets, {});
export const ownCarrier: Carrier<Member> = { name: "own", find: () => ["a"], verifierFor: () => verifier };
TokenAuth(forMembers, { verifier, from: [ownCarrier], onAnonymous: "deny" });
// @ts-expect-error the type says whom it knows
export const unnamed: Carrier = ownCarrier;
