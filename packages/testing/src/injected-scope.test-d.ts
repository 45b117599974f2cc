/** What the compiler knows about the scope that a test injects. Compiled, never run. */
import type { App, Scope, User } from "@sluice/core";
import { ApplicationCommunicator } from "./application-communicator.js";
import { HttpCommunicator } from "./http-communicator.js";
import { httpScope } from "./scope.js";
import { WebsocketCommunicator } from "./websocket-communicator.js";

declare const forNobody: App<"websocket">;
declare const forEverything: App;
declare const forUser: App<"websocket", { readonly user: User }>;
declare const forUserOverHttp: App<"http", { readonly user: User }>;
declare const optional: App<"websocket", { readonly user?: User }>;
declare const user: User;

export const bare = [
  new WebsocketCommunicator(forNobody, "/"),
  new WebsocketCommunicator(forEverything, "/", { timeout: 10 }),
  new WebsocketCommunicator(forEverything, "/", { scope: { client: { host: "10.0.0.1", port: 1 } } }),
  new WebsocketCommunicator(optional, "/"),
  new WebsocketCommunicator((_scope, receive) => receive.pipe(() => {}), "/"),
] satisfies WebsocketCommunicator[];

export const injected = [
  new WebsocketCommunicator(forUser, "/", { scope: { user } }),
  new WebsocketCommunicator(forUser, "/", { scope: { user, path: "/other" }, timeout: 10 }),
  new WebsocketCommunicator((scope: Scope<"websocket"> & { readonly user: User }) => void scope.user.id, "/", {
    scope: { user },
  }),
];
export const request: HttpCommunicator<{ readonly user: User }> = new HttpCommunicator(forUserOverHttp, "GET", "/", {
  scope: { user },
});
export const direct = new ApplicationCommunicator(forUserOverHttp, { ...httpScope(), user });

// @ts-expect-error nobody adds a user
new WebsocketCommunicator(forUser, "/");
// @ts-expect-error nobody adds a user
new WebsocketCommunicator(forUser, "/", { timeout: 10 });
// @ts-expect-error the user is something else
new WebsocketCommunicator(forUser, "/", { scope: { user: "ada" } });
// @ts-expect-error the path is something else
new WebsocketCommunicator(forUser, "/", { scope: { user, path: 1 } });
// @ts-expect-error nobody adds a user
new HttpCommunicator(forUserOverHttp, "GET", "/");
// @ts-expect-error nobody adds a user
new ApplicationCommunicator(forUserOverHttp, httpScope());
