import type { Command } from "commander";
import { createLogger } from "../logger.js";
import { startServer } from "../serve.js";
import { openServices } from "../services.js";
import { readSettings } from "../settings.js";
import { CommandFailure } from "./failure.js";

export function serveCommand(program: Command): void {
  program
    .command("serve")
    .description("migrate the database, then serve until SIGTERM or SIGINT")
    .action(async () => {
      const settings = readSettings(process.env);
      const logger = createLogger(settings);
      const services = await openServices(settings, logger);
      try {
        const server = await startServer(services, logger);
        if (settings.NODE_ENV !== "production")
          process.stdout.write(welcome(server.url.replace("//127.0.0.1", "//localhost")));
        logger.info({ url: server.url }, "listening");
        const signal = await stopSignal();
        logger.info({ signal }, "stopping");
        await server.stop();
        logger.info({}, "stopped");
      } catch (error) {
        await services.close();
        throw isPortTaken(error)
          ? new CommandFailure(
              `port ${settings.PORT} of ${settings.HOST} is in use; stop what listens there, or set PORT`,
            )
          : error;
      }
    });
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

/** The first signal asks to stop, a second one does not ask. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(1);
      asked = true;
      resolve(signal);
    };
    process.on("SIGTERM", stop).on("SIGINT", stop);
  });
}

function welcome(url: string): string {
  return `
  Sluice is ready at ${url}

  1. Open it in two browser windows, register, and chat.
  2. Or from a shell:
       curl -s ${url}/api/register -H 'content-type: application/json' \\
         -d '{"username":"ada","password":"correct horse battery"}'
       curl -s ${url}/api/login -d username=ada -d 'password=correct horse battery'
  3. Then open a WebSocket with the token: ${url.replace("http", "ws")}/?token=<token>

`;
}
