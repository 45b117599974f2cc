/** What the compiler knows about requireUser and requireScope. Compiled, never run. */
import type { App, Connection, Scope } from "../app.js";
import { provide, stack } from "../middleware.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import type { Authenticated, MaybeAuthenticated } from "./authenticated.js";
import { fromHeader } from "./carriers.js";
import { requireScope } from "./require-scope.js";
import { requireUser } from "./require-user.js";
import { TokenAuth } from "./token-auth.js";
import type { AnonymousUser, User } from "./user.js";

interface Member extends User {
  readonly plan: "free" | "paid";
}

declare const verifier: TokenVerifier<Member>;
declare const plainVerifier: TokenVerifier;
const from = [fromHeader()];

declare const forUsers: App<"websocket", { user: User }>;
declare const forMembers: App<"websocket", { user: Member; messages: string[] }>;
declare const forGrants: App<"http", { grant: Grant<Member> }>;
declare const forBoth: App<"http", Authenticated<Member>>;
declare const forAnyone: App<Connection, { user: User | AnonymousUser }>;
declare const everything: App;

// Inside, the user is known; outside, anybody may come.
export const users: App<"websocket", MaybeAuthenticated> = requireUser(forUsers);
export const writers: App<"websocket", MaybeAuthenticated> = requireScope("chat:write")(forUsers);
export const guarded: App<"websocket"> = TokenAuth(requireUser(forUsers), { verifier, from });
export const required: App<"websocket"> = TokenAuth(requireUser(forUsers), { verifier, from, onAnonymous: "deny" });
export const anyone: App<Connection> = TokenAuth(requireUser(forAnyone), { verifier, from });
export const all: App<Connection> = TokenAuth(requireUser(everything), { verifier, from });
export const nested: App<"websocket"> = TokenAuth(requireUser(requireScope("a", "b")(forUsers)), { verifier, from });

// @ts-expect-error nobody says who is there
export const alone: App<"websocket"> = requireUser(forUsers);
// @ts-expect-error an anonymous user is no user: without requireUser this does not fit
TokenAuth(forUsers, { verifier, from });

// The user's own type comes through, and what else is needed stays needed.
const members = TokenAuth(requireUser(forMembers), { verifier, from });
export const stillNeedsMessages: App<"websocket", { messages: string[] }> = members;
// @ts-expect-error messages are not a matter of tokens
export const needsNothing: App<"websocket"> = members;
export const complete: App<"websocket"> = provide(() => ({ messages: [""] }))(members);
export const grants: App<"http"> = TokenAuth(requireScope("a")(forGrants), { verifier, from });
export const both: App<"http"> = TokenAuth(requireUser(forBoth), { verifier, from });
// @ts-expect-error that verifier knows no members
TokenAuth(requireUser(forMembers), { verifier: plainVerifier, from });

// In place.
export const inline: App<"websocket"> = TokenAuth(
  requireUser((scope: Scope<"websocket"> & Authenticated) => {
    scope.user satisfies User;
    scope.grant satisfies Grant;
  }),
  { verifier, from },
);

// In a stack, where the verifier's type is known inside.
export const stacked: App<"websocket"> = stack<"websocket">()
  .use(TokenAuth({ verifier, from }))
  .use(requireUser)
  .use(requireScope("chat:write"))
  .app((scope) => {
    scope.user satisfies Member;
    scope.grant satisfies Grant<Member>;
    const plan: "free" | "paid" = scope.user.plan;
    void plan;
  });
// @ts-expect-error TokenAuth stands further out
stack<"websocket">().use(requireUser);
// @ts-expect-error at least one
requireScope();
