import { expectTypeOf, it } from "vitest";
import type { App, Scope } from "../app.js";
import type { Authenticated, MaybeAuthenticated } from "../auth/authenticated.js";
import type { Middleware } from "../middleware.js";
import { limitConnections } from "./limit-connections.js";
import { limitMessages } from "./limit-messages.js";

declare const chat: App<"websocket", Authenticated>;

it("asks the scope for what the name is made of, and for nothing else", () => {
  expectTypeOf(limitMessages({ perSecond: 1 })).toEqualTypeOf<Middleware<{}>>();
  expectTypeOf(limitMessages({ perSecond: 1 })(chat)).toExtend<App<"websocket", Authenticated>>();
  const byUser = limitMessages({
    perSecond: 1,
    by: ({ user }: MaybeAuthenticated) => (user.isAuthenticated ? user.id : undefined),
  });
  expectTypeOf(byUser).toEqualTypeOf<Middleware<MaybeAuthenticated>>();
  const one = limitConnections({ max: 1, by: ({ user }: Authenticated) => user.id });
  expectTypeOf(one(chat)).toExtend<App<"websocket", Authenticated>>();
});

it("takes the name from the scope of a WebSocket", () => {
  limitConnections({ max: 1, by: (scope: Scope<"websocket">) => scope.subprotocols[0] });
  // @ts-expect-error a name is a text
  limitConnections({ max: 1, by: () => 1 });
  // @ts-expect-error nobody counts together without a name
  limitConnections({ max: 1 });
});
