import type { App } from "../app.js";
import { RouteNotFound } from "../errors.js";

/**
 * Hands each message of a worker to the application for its channel.
 *
 * Throws `RouteNotFound` for a channel without an application.
 *
 * @example
 * const worker = ChannelNameRouter({ thumbnails: asApp(Thumbnails, { layer }) });
 */
export function ChannelNameRouter<Needs extends object = {}>(
  apps: Readonly<Record<string, App<"channel", Needs>>>,
): App<"channel", Needs> {
  const all = new Map(Object.entries(apps));
  return (scope, receive, send) => {
    const app = all.get(scope.channel);
    if (app === undefined) {
      throw new RouteNotFound(
        `expected a message of ${all.size > 0 ? `the channel ${[...all.keys()].join(" or ")}` : "no channel"}, got one of "${scope.channel}": give ChannelNameRouter an application for it`,
      );
    }
    return app(scope, receive, send);
  };
}
