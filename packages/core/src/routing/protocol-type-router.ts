import type { App, Receive, Send } from "../app.js";
import { RouteNotFound } from "../errors.js";

/**
 * Hands each connection to the application for its protocol: the outermost part of most applications.
 *
 * Throws `RouteNotFound`, answered with 404, for a protocol without an application. Only lifespan needs none: start-up
 * and shutdown are then completed at once.
 *
 * @example
 * export const application = ProtocolTypeRouter({
 *   http: fetchApp(api.fetch),
 *   websocket: AllowedHostsOriginValidator(
 *     URLRouter([path("ws/chat/<room>/", chat)]),
 *     ["example.com"],
 *   ),
 * });
 */
export function ProtocolTypeRouter(apps: {
  readonly http?: App<"http">;
  readonly websocket?: App<"websocket">;
  /** What workers run: a `ChannelNameRouter`, as a rule. */
  readonly channel?: App<"channel">;
  readonly lifespan?: App<"lifespan">;
}): App {
  const all = { ...apps, lifespan: apps.lifespan ?? completeLifespan };
  return (scope, receive, send) => {
    const app = all[scope.type] as App | undefined;
    if (app === undefined) {
      throw new RouteNotFound(
        `expected ${Object.keys(apps).join(" or ") || "no connections"}, got ${scope.type}: give ProtocolTypeRouter an application for it`,
      );
    }
    return app(scope, receive, send);
  };
}

function completeLifespan(_scope: unknown, receive: Receive<"lifespan">, send: Send<"lifespan">): Promise<void> {
  return receive.pipe((event) => send({ type: `${event.type}.complete` }));
}
