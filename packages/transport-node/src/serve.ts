import {
  type App,
  createGuard,
  ProtocolServer,
  type ServeOptions,
  type Server,
  serveWith,
  systemClock,
} from "@sluice/core";
import { Heartbeat } from "./heartbeat.js";
import { createHttpServer } from "./http-server.js";
import { NodeListener } from "./listen.js";
import { checkOptions } from "./options.js";
import { serveRequests } from "./requests.js";
import { Upgrader } from "./upgrader.js";

/**
 * Serves `app` on `node:http` and `ws`. Resolves when the application's lifespan start-up is complete and the port is open.
 *
 * A request has 10 seconds to come in up to the end of its headers and 5 minutes altogether, else the answer is 408; a
 * connection is kept alive for 65 seconds. `sharedPort` needs Node 22.12 or later, or a worker of `node:cluster`.
 *
 * Rejects with `ConfigurationError` for an option out of range and for TLS files of no use, with what start-up rejects
 * with, and with an error of code `"EADDRINUSE"` if the port or the Unix socket is taken.
 *
 * @example
 * const server = await serve(application, { port: 8000, logger });
 * process.once("SIGTERM", () => void server.close({ deadline: 5_000 }));
 */
export async function serve(app: App, options: ServeOptions): Promise<Server> {
  const settings = checkOptions(options);
  const server = new ProtocolServer(app, options);
  const httpServer = await createHttpServer(server.limits, options.tls);
  const listener = new NodeListener(httpServer, settings, options.tls !== undefined);
  const clock = options.clock ?? systemClock;
  serveRequests(httpServer, server, listener.endpoint, {
    maxBackpressure: settings.maxBackpressure,
    clock,
    guard: createGuard(options.logger),
    heartbeat: new Heartbeat(clock, settings.idleTimeout),
    upgrader: new Upgrader(server.limits, settings.compression),
  });
  return serveWith(server, listener);
}
