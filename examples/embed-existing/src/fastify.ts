import type { App } from "@sluice/core";
import { attach } from "@sluice/transport-node";
import fastify from "fastify";
import type { Host } from "./host.js";

/** A Fastify server, and the WebSockets of `application` under `/ws/` of the same port. */
export async function startFastify(application: App, port: number): Promise<Host> {
  const app = fastify();
  app.get("/hello", async () => ({ hello: "Fastify" }));

  const webSockets = await attach(app.server, application, { path: "/ws/", logger: console });
  // An open WebSocket would keep the server from closing.
  app.addHook("preClose", () => webSockets.close());
  try {
    await app.listen({ port, host: "127.0.0.1" });
  } catch (error) {
    await app.close();
    throw error;
  }

  return { server: app.server, close: () => app.close() };
}
