import type { Logger } from "@sluice/core";
import { serve } from "@sluice/transport-uws";
import { createApplication } from "./application.js";
import type { Services } from "./services.js";

export interface RunningServer {
  readonly url: string;
  /** Stops listening, ends every connection and closes what is open. */
  stop(): Promise<void>;
}

/** Milliseconds connections have to end on a stop. */
const stopDeadline = 10_000;

/** Brings the tables up to date and serves until it is stopped. */
export async function startServer(services: Services, logger: Logger): Promise<RunningServer> {
  const { settings } = services;
  await services.database.migrate();
  const server = await serve(createApplication(services), { port: settings.PORT, host: settings.HOST, logger });
  return {
    url: server.url,
    async stop() {
      await server.close({ deadline: stopDeadline });
      await services.close();
    },
  };
}
