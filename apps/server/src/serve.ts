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

/** Stops listening, ends every connection and closes what is open, whatever becomes of the connections. */
export async function stopServer(
  server: Pick<Server, "close">,
  services: Pick<Services, "settings" | "logger" | "close">,
): Promise<void> {
  const { SHUTDOWN_DEADLINE, DRAIN_WINDOW } = services.settings;
  const deadline = Math.floor(SHUTDOWN_DEADLINE * connectionsShare);
  try {
    await server.close({ deadline, drain: Math.min(DRAIN_WINDOW, deadline) });
  } catch (error) {
    await closeAfterFailure(services);
    throw error;
  }
  await services.close();
}

/** Closes the services after a failure that says more than one of theirs would. That one is logged. */
export async function closeAfterFailure({ close, logger }: Pick<Services, "logger" | "close">): Promise<void> {
  try {
    await close();
  } catch (error) {
    logger.error({ err: error }, "the services could not be closed after a failure");
  }
}
