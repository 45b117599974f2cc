/** What the compiler knows about routes and routers. Compiled, never run. */
import type { App, Receive, Scope, Send } from "../app.js";
import { middleware, provide, stack } from "../middleware.js";
import { AllowedHostsOriginValidator } from "../security/origin-validator.js";
import { path, paths } from "./path.js";
import { ProtocolTypeRouter } from "./protocol-type-router.js";
import { rePath } from "./re-path.js";
import { reverse } from "./reverse.js";
import type { Routed } from "./url-route.js";
import { URLRouter } from "./url-router.js";

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
declare const forUser: App<"websocket", { readonly user: User }>;
declare const forSession: App<"websocket", { readonly session: Session }>;
declare const forRoom: App<
  "websocket",
  { readonly user: User; readonly urlRoute: { readonly kwargs: { room: string } } }
>;
declare const forTenantRoom: App<"websocket", Routed<{ tenant: string; room: string }>>;
declare const webSocketOnly: App<"websocket">;
declare const httpOnly: App<"http">;
declare const everything: App;
const session = provide((): { session: Session } => ({ session: { id: "s" } }));
const auth = provide((scope: Scope<"http" | "websocket"> & { session: Session }): { user: User } => ({
  user: { name: scope.session.id },
}));
const user = provide((): { user: User } => ({ user: { name: "ann" } }));

// The kwargs of a pattern are typed inside.

path("ws/chat/<str:room>/<int:page>/", (scope) => {
  same<typeof scope.urlRoute.kwargs, Readonly<{ room: string; page: number }>>(true);
  same<typeof scope.urlRoute.route, string>(true);
  same<typeof scope.pathRemaining, string>(true);
  // @ts-expect-error there is no such parameter
  void scope.urlRoute.kwargs.romo;
  // @ts-expect-error nobody has put a user into this scope
  void scope.user;
});
path("<a>/<slug:b>/<uuid:c>/x<int:d>.json/<path:e>", ({ urlRoute: { kwargs } }) => {
  same<typeof kwargs, Readonly<{ a: string; b: string; c: string; d: number; e: string }>>(true);
});
path("about/", ({ urlRoute: { kwargs } }) => {
  same<typeof kwargs, Readonly<{}>>(true);
});
path(
  "<room>/",
  ({ urlRoute: { kwargs } }) => void same<typeof kwargs, Readonly<{ room: string; page: number }>>(true),
  {
    page: 1,
    room: 0,
  },
);
declare const patternAtRunTime: string;
path(patternAtRunTime, ({ urlRoute: { kwargs } }) => {
  same<typeof kwargs, Readonly<Record<string, unknown>>>(true);
});
rePath(/^(?<room>\w+)$/, ({ urlRoute: { kwargs, args } }) => {
  same<typeof kwargs, Readonly<Record<string, string | undefined>>>(true);
  same<typeof args, readonly (string | undefined)[]>(true);
});

// @ts-expect-error There is no converter "foo" here
path("<foo:x>/", everything);
// @ts-expect-error a route has an application
path("x/");

// Converters of one's own say what their values are.

const own = paths({
  year: { pattern: "[0-9]{4}", parse: Number, format: String },
  day: {
    pattern: "[0-9-]{10}",
    parse: (text: string) => new Date(text),
    format: (day) => day.toISOString().slice(0, 10),
  },
  side: {
    pattern: "left|right",
    parse: (text: string): "left" | "right" | undefined => (text === "left" || text === "right" ? text : undefined),
    format: (side) => side,
  },
});
const archive = own("<year:from>/<day:on>/<side:to>/<int:page>/", ({ urlRoute: { kwargs } }) => {
  same<typeof kwargs, Readonly<{ from: number; on: Date; to: "left" | "right"; page: number }>>(true);
});
paths({ int: { pattern: "[0-9]+", parse: BigInt, format: String } })("<int:n>/", ({ urlRoute: { kwargs } }) => {
  same<typeof kwargs, Readonly<{ n: bigint }>>(true);
});
// @ts-expect-error There is no converter "year" here
path("<year:from>/", everything);
// @ts-expect-error a converter has three parts
paths({ year: { pattern: "[0-9]{4}", parse: Number } });

// reverse wants the kwargs of the pattern, all of them and no others.

reverse(archive, { from: 1999, on: new Date(0), to: "left", page: 1 });
reverse(path("about/", everything), {});
reverse(path("<room>/", everything, { theme: "dark" }), { room: "lobby" }, "/base/");
// @ts-expect-error page is missing
reverse(archive, { from: 1999, on: new Date(0), to: "left" });
// @ts-expect-error there is no parameter size
reverse(archive, { from: 1999, on: new Date(0), to: "left", page: 1, size: 2 });
// @ts-expect-error "up" is no side
reverse(archive, { from: 1999, on: new Date(0), to: "up", page: 1 });
// @ts-expect-error a default is not in the path
reverse(path("<room>/", everything, { theme: "dark" }), { room: "lobby", theme: "light" });
// @ts-expect-error nothing can be made out of an expression
reverse(rePath(/^a$/, everything), {});

// A router needs what its routes' applications need together, but for what the routes give.

same<typeof needsNothing, App<"websocket", {}>>(true);
const needsNothing = URLRouter([path("a/", webSocketOnly), path("<room>/", everything)]);
same<typeof needsBoth, App<"websocket", { readonly user: User; readonly session: Session }>>(true);
const needsBoth = URLRouter([path("a/", forUser), path("b/", forSession), path("<room>/", forRoom)]);
same<typeof none, App<"http" | "websocket", {}>>(true);
const none = URLRouter([]);

export const outermost: App<"websocket"> = URLRouter([path("a/", webSocketOnly), rePath(/b/, everything)]);
export const behindAuth: App<"websocket"> = session(auth(needsBoth));
export const behindStack: App<"websocket"> = stack<"websocket">().use(session).use(auth).app(needsBoth);
// @ts-expect-error nobody supplies the user
export const withoutUser: App<"websocket"> = session(needsBoth);
// @ts-expect-error nobody supplies the session that auth needs
export const withoutSession: App<"websocket"> = auth(needsBoth);
// @ts-expect-error the wrong way round
export const wrongOrder: App<"websocket"> = auth(session(needsBoth));
// @ts-expect-error nor does this stack
stack<"websocket">().use(session).app(needsBoth);
// @ts-expect-error a WebSocket application serves no HTTP
export const wrongProtocol: App<"http"> = URLRouter([path("a/", webSocketOnly)]);
// @ts-expect-error no protocol suits both
export const noProtocol: App<"websocket"> = URLRouter([path("a/", webSocketOnly), path("b/", httpOnly)]);
// @ts-expect-error a router takes routes
URLRouter([everything]);

// Kwargs that the pattern does not give are an outer pattern's to give.

export const given: App<"websocket"> = URLRouter([path("<tenant>/", URLRouter([path("<room>/", forTenantRoom)]))]);
export const givenByDefault: App<"websocket"> = URLRouter([path("<tenant>/", forTenantRoom, { room: "lobby" })]);
export const throughMiddleware: App<"websocket"> = URLRouter([
  path("<room>/<tenant>/", session(auth(URLRouter([path("a/", forRoom), path("b/", forTenantRoom)])))),
]);
// @ts-expect-error nobody gives the tenant
export const noTenant: App<"websocket"> = URLRouter([path("<room>/", forTenantRoom)]);
// @ts-expect-error nobody gives the room
export const noRoom: App<"websocket"> = user(URLRouter([path("rooms/", forRoom)]));
// @ts-expect-error The application needs room to be of another type
path("<int:room>/", forRoom);
// @ts-expect-error The application needs room to be of another type
path("rooms/", forRoom, { room: 1 });
// @ts-expect-error a group may have taken no part
export const maybeRoom: App<"websocket"> = user(URLRouter([rePath(/^(?<room>\w+)?/, forRoom)]));

// Applications written in place know the protocol of the place and what routes and middleware around them add.

export const application = ProtocolTypeRouter({
  http: URLRouter([
    path("<page>/", (scope, receive, send) => {
      same<typeof scope.method, string>(true);
      same<typeof receive, Receive<"http">>(true);
      same<typeof scope.urlRoute.kwargs, Readonly<{ page: string }>>(true);
      return send({ type: "http.response.start", status: 200 });
    }),
    rePath(/^a/, (scope) => void scope.method),
    path("", everything),
  ]),
  websocket: AllowedHostsOriginValidator(
    session(
      auth(
        URLRouter([
          path("<room>/", forRoom),
          path("<int:page>/", (scope, _receive, send) => {
            same<typeof scope.urlRoute.kwargs, Readonly<{ page: number }>>(true);
            same<typeof scope.subprotocols, readonly string[]>(true);
            return send({ type: "websocket.accept" });
          }),
          path("annotated/", (scope: Scope<"websocket"> & { readonly user: User }, _receive, send: Send<"websocket">) =>
            send({ type: "websocket.send", text: scope.user.name }),
          ),
          path("deep/", middleware((inner) => inner)(URLRouter([path("<x>", (scope) => void scope.subprotocols)]))),
        ]),
      ),
    ),
    ["example.com"],
  ),
});
ProtocolTypeRouter({
  // @ts-expect-error this one needs a user
  websocket: URLRouter([path("a/", forUser)]),
});
ProtocolTypeRouter({
  // @ts-expect-error this one needs kwargs that no pattern gives
  websocket: URLRouter([path("a/", forTenantRoom)]),
});
ProtocolTypeRouter({
  // @ts-expect-error that is not this protocol's event
  http: URLRouter([path("a/", (_scope, _receive, send) => send({ type: "websocket.accept" }))]),
});
