import { once } from "node:events";
import { createServer } from "node:net";
import { type Clock, type Logger, longestTimer } from "@sluice/core";
import { openDatabase } from "@sluice/store-drizzle";
import { stopRequest, UncaughtFailure } from "../process/stop-request.js";
import { limitsOf } from "../settings/limits.js";
import type { Settings } from "../settings.js";
import { chooseTransport } from "../transport.js";
import { forkWorker } from "./fork-worker.js";
import { Supervisor } from "./supervisor.js";

/** Its tasks keep the process alive. */
const wakefulClock: Clock = {
  now: Date.now,
  after(ms, task) {
    const timer = setTimeout(task, Math.min(ms, longestTimer));
    return () => clearTimeout(timer);
  },
};

/** Milliseconds that workers get, after the deadline, to end by themselves and to say so. */
const deadlineGrace = 1_000;

/** Supervises processes that serve on one port, until SIGTERM or SIGINT. What is to be done once is done here. */
export async function serveWithWorkers(
  settings: Settings,
  logger: Logger,
  onListening: (url: string) => void,
): Promise<void> {
  const { WORKERS: count, SHUTDOWN_DEADLINE } = settings;
  const { name } = await chooseTransport(settings.TRANSPORT, logger, limitsOf(settings));
  await migrate(settings);
  const port = await findPort(settings);

  const supervisor = new Supervisor({
    count,
    fork: (listener) => forkWorker({ WORKERS: `${count}`, PORT: `${port}`, TRANSPORT: name }, listener),
    clock: wakefulClock,
    logger,
    onListening(url) {
      onListening(url);
      logger.info({ url, transport: name, workers: count }, "listening");
    },
  });
  const requested = stopRequest(logger, () => {
    supervisor.kill();
    process.exit(1);
  });
  const ended = supervisor.run();
  const request = await Promise.race([requested, ended]);
  if (request !== undefined) {
    logger.info({ reason: request.reason }, "stopping");
    supervisor.stop(SHUTDOWN_DEADLINE + deadlineGrace);
    await ended;
    logger.info({}, "stopped");
    if (request.failed) throw new UncaughtFailure();
  }
}

async function migrate({ DATABASE_URL }: Settings): Promise<void> {
  if (DATABASE_URL === undefined) return;
  const database = await openDatabase({ url: DATABASE_URL });
  try {
    await database.migrate();
  } finally {
    await database.close();
  }
}

/** The port for all workers. Rejects if it is taken: where a port is shared, the system no longer says so. */
async function findPort({ PORT, HOST }: Settings): Promise<number> {
  const probe = createServer().listen({ port: PORT, host: HOST, exclusive: true });
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address !== null ? address.port : PORT;
}
