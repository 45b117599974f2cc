import cluster from "node:cluster";
import type { Logger, Server } from "@sluice/core";
import type { Command } from "commander";
import { openLayer } from "../layer/open-layer.js";
import { createLogger } from "../logger.js";
import { stopBy } from "../process/stop-by.js";
import { stopRequest, UncaughtFailure } from "../process/stop-request.js";
import { closeAfterFailure, startServer, stopServer } from "../serve.js";
import { openServices, type Services } from "../services.js";
import { layerChoice } from "../settings/layer.js";
import { limitsOf } from "../settings/limits.js";
import { readSettings, type Settings } from "../settings.js";
import { chooseTransport, type Transport } from "../transport.js";
import { serveWithWorkers } from "../workers/serve-with-workers.js";
import { isOwnWorker, reportReady, workerStopRequest } from "../workers/serving-worker.js";
import { CommandFailure } from "./failure.js";
import { welcome } from "./welcome.js";

export function serveCommand(program: Command): void {
  program
    .command("serve")
    .description("migrate the database, then serve until SIGTERM or SIGINT")
    .option("--workers <number>", "how many processes share the port (environment: WORKERS)")
    .action(async ({ workers }: { readonly workers?: string }) => {
      const settings = readSettings(workers === undefined ? process.env : { ...process.env, WORKERS: workers });
      const logger = createLogger(settings);
      try {
        if (settings.WORKERS > 1 && !isOwnWorker) {
          if (cluster.isWorker) throw new CommandFailure(clusterInCluster);
          await serveWithWorkers(settings, logger, (url) => greet(settings, url));
        } else {
          await serve(settings, logger);
        }
      } catch (error) {
        throw isAddressTaken(error) ? new CommandFailure(addressTaken(settings)) : error;
      }
    });
}

async function serve(settings: Settings, logger: Logger): Promise<void> {
  const transport = await chooseTransport(settings.TRANSPORT, logger, limitsOf(settings));
  const choice = layerChoice(settings);
  if (cluster.isWorker && choice.name === "memory" && settings.DATABASE_URL !== undefined)
    throw new CommandFailure(memoryInCluster);
  const services = await openServices(settings, logger, await openLayer(choice, logger));
  const server = await start(services, transport, logger);
  const requested = isOwnWorker ? workerStopRequest(logger) : stopRequest(logger);
  if (!isOwnWorker) greet(settings, server.url);
  logger.info({ url: server.url, transport: transport.name, layer: choice.name }, "listening");
  if (isOwnWorker) reportReady(server.url);

  const { reason, failed } = await requested;
  logger.info({ reason }, "stopping");
  await stopBy(settings.SHUTDOWN_DEADLINE, failed ? 1 : 0, stopServer(server, services), logger);
  logger.info({ counts: server.counts }, "stopped");
  if (failed) throw new UncaughtFailure();
}

/** Closes the services where the server does not start. */
async function start(services: Services, transport: Transport, logger: Logger): Promise<Server> {
  try {
    // A supervisor has done it for its workers.
    if (!isOwnWorker) await services.database.migrate();
    return await startServer(services, transport, logger);
  } catch (error) {
    await closeAfterFailure(services);
    throw error;
  }
}

const clusterInCluster =
  "WORKERS: expected 1 in a process that another program has started in a cluster of its own; let that one start several";

const memoryInCluster =
  "CHANNEL_LAYER: expected redis://... or postgres in a process of a cluster; the in-memory layer ends at the process";

function greet(settings: Settings, url: string): void {
  if (settings.NODE_ENV === "production" || settings.UNIX_SOCKET !== undefined) return;
  process.stdout.write(welcome(url.replace("//127.0.0.1", "//localhost")));
}

function isAddressTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

function addressTaken({ UNIX_SOCKET, PORT, HOST }: Settings): string {
  return UNIX_SOCKET === undefined
    ? `port ${PORT} of ${HOST} is in use; stop what listens there, or set PORT`
    : `${UNIX_SOCKET} is in use; stop what listens there, or set UNIX_SOCKET`;
}
