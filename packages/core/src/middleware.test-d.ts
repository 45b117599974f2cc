/** What the compiler knows about middleware. Compiled, never run. */
import type { App, Connection, Scope, Send } from "./app.js";
import { type Middleware, middleware, provide, stack, type Unmet } from "./middleware.js";

/** True only for one and the same type. */
type Same<Left, Right> =
  (<Type>() => Type extends Left ? 1 : 2) extends <Type>() => Type extends Right ? 1 : 2 ? true : false;
declare function same<Left, Right>(same: Same<Left, Right>): void;

interface User {
  readonly name: string;
}
interface Session {
  readonly id: string;
}
const session = provide((): { session: Session } => ({ session: { id: "s" } }));
const auth = provide(
  async (scope: Scope<Connection> & { session: Session }): Promise<{ user: User }> => ({
    user: { name: scope.session.id },
  }),
);
const numbered = provide(() => ({ user: 1 }));
const bare: Middleware = (inner) => (scope, receive, send) => inner(scope, receive, send);
const loud = middleware((inner) => (scope, receive, send) => inner(scope, receive, (event) => send(event)));
const forUsers = middleware<{ user: User }>((inner) => (scope, receive, send) => {
  void scope.user.name;
  return inner(scope, receive, send);
});

declare const forNobody: App<"websocket">;
declare const forUser: App<"websocket", { readonly user: User }>;
declare const forBoth: App<"websocket", { readonly user: User; readonly session: Session }>;
declare const forMore: App<"websocket", { readonly user: User; readonly session: Session; readonly room: string }>;
declare const forAnyUser: App<"websocket", { readonly user?: User }>;

// What provide resolves to says what it needs and adds, promise or not.

same<typeof session, Middleware<{}, { session: Session }>>(true);
same<typeof auth, Middleware<{ session: Session }, { user: User }>>(true);
same<typeof loud, Middleware>(true);

// An application around which all it needs is added needs nothing, named on the way or not.

export const nested: App<"websocket"> = session(auth(forBoth));
const step = auth(forBoth);
export const inSteps: App<"websocket"> = session(step);
export const withMore: App<"websocket", { readonly room: string }> = session(auth(forMore));
export const throughOthers: App<"websocket"> = loud(session(bare(auth(forUsers(loud(forBoth))))));
export const optional: App<"websocket"> = session(auth(forAnyUser));
export const unneeded: App<"websocket"> = session(auth(forNobody));
export const annotated: App<"websocket"> = session(
  auth((scope: Scope<"websocket"> & { readonly user: User }, _receive, send: Send<"websocket">) =>
    send({ type: "websocket.send", text: scope.user.name }),
  ),
);
// @ts-expect-error the session comes too late
export const wrongOrder: App<"websocket"> = auth(session(forBoth));
// @ts-expect-error nobody adds a session
export const noSession: App<"websocket"> = auth(forUser);
// @ts-expect-error nobody adds a user
export const noUser: App<"websocket"> = session(forUser);
// @ts-expect-error nobody adds a user
export const noUserForMiddleware: App<"websocket"> = forUsers(forNobody);
// @ts-expect-error nobody adds a room
export const noRoom: App<"websocket"> = session(auth(forMore));
// @ts-expect-error that user is a number
export const wrongUser: App<"websocket"> = numbered(forUser);
// @ts-expect-error and a right one further out does not help, as the number hides it
export const hiddenUser: App<"websocket"> = session(auth(numbered(forUser)));
// @ts-expect-error a WebSocket application serves no HTTP
export const wrongProtocol: App<"http"> = session(auth(forBoth));

// Written in place it knows what is added around it.

export const inPlace: App<"websocket"> = session(
  auth((scope, _receive, send) => {
    same<typeof scope.user, User>(true);
    same<typeof scope.session, Session>(true);
    void scope.subprotocols;
    // @ts-expect-error nobody adds a room
    void scope.room;
    return send({ type: "websocket.accept" });
  }),
);

// A stack knows the same, from the outside in.

export const stacked: App<"websocket"> = stack<"websocket">().use(bare).use(session).use(loud).use(auth).app(forBoth);
stack<"websocket">()
  .use(session)
  .use(auth)
  .use(forUsers)
  .app((scope, _receive, send) => {
    same<typeof scope.user, User>(true);
    void scope.session.id;
    return send({ type: "websocket.accept" });
  });
// @ts-expect-error the session comes too late
stack<"websocket">().use(auth).use(session);
// @ts-expect-error nobody adds a user
stack<"websocket">().use(session).use(forUsers);
// @ts-expect-error nobody adds a user
stack<"websocket">().use(session).app(forUser);
// @ts-expect-error that user is a number
stack<"websocket">().use(numbered).app(forUser);
// @ts-expect-error a WebSocket application serves no HTTP
stack<"http">().app(forNobody);

// What is not given is still needed; what is given wrongly cannot be had at all.

same<Unmet<{ a: string; b: number; c?: Date }, { a: string; d: 1 }>, { b: number; c?: Date }>(true);
same<Unmet<{ a: string | number }, { a: string }>, {}>(true);
same<Unmet<{ a: string }, { a: string | number }>, { a: never }>(true);
same<Unmet<{ a?: string }, { a: string }>, {}>(true);
