/** Compiled with the tests, never run: what `attach` takes for an application. */
import type { Server } from "node:http";
import { type App, fetchApp, ProtocolTypeRouter, path, silentLogger, URLRouter } from "@sluice/core";
import { attach } from "./attach.js";

export async function applications(host: Server, echo: App<"websocket">): Promise<void> {
  const logger = silentLogger;
  const http = fetchApp(() => new Response());
  const rooms = URLRouter([path("ws/<slug:room>/", echo)]);
  await attach(host, ProtocolTypeRouter({ websocket: rooms }), { logger });
  await attach(host, ProtocolTypeRouter({ websocket: rooms }), { logger, lifespan: false });
  await attach(host, rooms, { logger, lifespan: false });
  await attach(host, echo, { logger, lifespan: false });
  // @ts-expect-error a router knows nothing of the lifespan, which it would be called for
  await attach(host, rooms, { logger });
  // @ts-expect-error nor with the lifespan asked for
  await attach(host, echo, { logger, lifespan: true });
  // @ts-expect-error an application for HTTP has no WebSockets
  await attach(host, http, { logger, lifespan: false });
}
