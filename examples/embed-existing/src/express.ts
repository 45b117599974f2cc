import { once } from "node:events";
import { createServer } from "node:http";
import { promisify } from "node:util";
import type { App } from "@sluice/core";
import { attach } from "@sluice/transport-node";
import express from "express";
import type { Host } from "./host.js";

/** An Express server, and the WebSockets of `application` under `/ws/` of the same port. */
export async function startExpress(application: App, port: number): Promise<Host> {
  const app = express();
  app.get("/hello", (_request, response) => {
    response.json({ hello: "Express" });
  });

  const server = createServer(app);
  const webSockets = await attach(server, application, { path: "/ws/", logger: console });
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    await webSockets.close();
    throw error;
  }

  return {
    server,
    async close() {
      // First: an open WebSocket would keep the server from closing.
      await webSockets.close();
      await promisify(server.close.bind(server))();
    },
  };
}
