import type { App } from "../app.js";
import { provide } from "../middleware.js";
import type { HttpScope } from "../scope.js";
import { type FetchContext, fetchApp } from "./fetch-app.js";

interface User {
  readonly name: string;
}
const auth = provide((): { user: User } => ({ user: { name: "a" } }));

export const plain: App<"http"> = fetchApp(() => new Response("a"));
export const late: App<"http"> = fetchApp(async (request) => new Response(request.url));
export const scoped: App<"http"> = fetchApp((_request, { scope }) => new Response(scope.method));

/** What the handler takes, the application needs. */
export const named: App<"http", { user: User }> = fetchApp<{ user: User }>(
  (_request, { scope }) => new Response(scope.user.name),
);
export const inferred: App<"http", { user: User }> = fetchApp(
  (_request: Request, { scope }: { scope: HttpScope & { user: User } }) => new Response(scope.user.name),
);
export const inferredByName: App<"http", { user: User }> = fetchApp(
  (_request: Request, { scope }: FetchContext<{ user: User }>) => new Response(scope.user.name),
);
export const given: App<"http"> = auth(inferred);
// @ts-expect-error nobody gives it a user
export const leak: App<"http"> = inferred;
// @ts-expect-error there is no user in the scope
fetchApp((_request, { scope }) => new Response(scope.user));
// @ts-expect-error a handler returns a response
fetchApp(() => "a");
// @ts-expect-error it does not serve WebSockets
export const overWebSocket: App<"websocket"> = fetchApp(() => new Response("a"));

/** The shape of Hono's `app.fetch`. */
declare const hono: (
  request: Request,
  env?: { scope: HttpScope & { user: User } } | {},
) => Response | Promise<Response>;
export const ofHono: App<"http", { user: User }> = fetchApp(hono);
export const ofPlainHono: App<"http"> = fetchApp((request: Request, env?: {}) => hono(request, env));
// @ts-expect-error nobody gives it a user
export const leakOfHono: App<"http"> = fetchApp(hono);
