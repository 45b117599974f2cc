import type { Logger, Server } from "@sluice/core";
import { createApplication } from "./application.js";
import type { Services } from "./services.js";
import { limitsOf } from "./settings/limits.js";
import { listenAddress, transportSettings } from "./settings/listen.js";
import type { Transport } from "./transport.js";

/** What of the deadline connections may take; the rest is for the stores. */
const connectionsShare = 0.9;

/** Serves the application until it is stopped. */
export function startServer(services: Services, transport: Transport, logger: Logger): Promise<Server> {
  const { settings } = services;
  return transport.serve(createApplication(services), {
    ...listenAddress(settings),
    ...transportSettings(settings),
    limits: limitsOf(settings),
    rootPath: settings.ROOT_PATH ?? "",
    trustedProxies: settings.TRUSTED_PROXIES,
    logger,
  });
}

/** Stops listening, ends every connection and closes what is open. */
export async function stopServer(server: Server, services: Services): Promise<void> {
  const { SHUTDOWN_DEADLINE, DRAIN_WINDOW } = services.settings;
  const deadline = Math.floor(SHUTDOWN_DEADLINE * connectionsShare);
  await server.close({ deadline, drain: Math.min(DRAIN_WINDOW, deadline) });
  await services.close();
}
