import { ChannelNameRouter, runWorker } from "@sluice/core";
import type { Command } from "commander";
import { openSharedLayer } from "../layer/shared-layer.js";
import { createLogger } from "../logger.js";
import { stopBy } from "../process/stop-by.js";
import { stopRequest, UncaughtFailure } from "../process/stop-request.js";
import { closeAfterFailure } from "../serve.js";
import { openServices } from "../services.js";
import { wholeNumber } from "../settings/value.js";
import { readSettings } from "../settings.js";
import { workerApplications } from "../worker-applications.js";
import { CommandFailure } from "./failure.js";

export function workerCommand(program: Command): void {
  program
    .command("worker")
    .description("work on the messages of channels until SIGTERM or SIGINT")
    .argument("<channel...>")
    .option("--concurrency <number>", "messages of each channel at the same time", "1")
    .action(async (channels: string[], { concurrency }: { readonly concurrency: string }) => {
      const number = wholeNumber(1, 1_000).safeParse(concurrency);
      if (!number.success) throw new CommandFailure(`--concurrency: ${number.error.issues[0]?.message}`);
      await work([...new Set(channels)], number.data);
    });
}

async function work(channels: readonly string[], concurrency: number): Promise<void> {
  const settings = readSettings(process.env);
  const logger = createLogger(settings);
  const layer = await openSharedLayer(settings, logger);
  const services = await openServices(settings, logger, layer);
  const requested = stopRequest(logger);
  const worker = await start();
  logger.info({ channels, concurrency }, "working");

  const { reason, failed } = await requested;
  logger.info({ reason }, "stopping");
  await stopBy(settings.SHUTDOWN_DEADLINE, failed ? 1 : 0, stop(), logger);
  logger.info({}, "stopped");
  if (failed) throw new UncaughtFailure();

  async function start() {
    try {
      const applications = workerApplications(services);
      const stranger = channels.find((channel) => !Object.hasOwn(applications, channel));
      if (stranger !== undefined) {
        throw new CommandFailure(`expected channels out of ${Object.keys(applications).join(", ")}, got ${stranger}`);
      }
      return await runWorker(ChannelNameRouter(applications), { layer, channels, concurrency, logger });
    } catch (error) {
      await closeAfterFailure(services);
      throw error;
    }
  }

  async function stop(): Promise<void> {
    await worker.close();
    await services.close();
  }
}
