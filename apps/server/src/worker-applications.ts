import { type App, asApp, growScope } from "@sluice/core";
import { PostConsumer } from "./chat/post-consumer.js";
import type { Services } from "./services.js";

/** What workers do, by the channel that brings it. */
export function workerApplications(services: Services): Readonly<Record<string, App<"channel">>> {
  const withServices =
    (inner: App<"channel", { services: Services }>): App<"channel"> =>
    (scope, receive, send) =>
      inner(growScope(scope, { services }), receive, send);
  return { messages: withServices(asApp(PostConsumer, { layer: services.layer, logger: services.logger })) };
}
