import { type ChannelLayer, InMemoryChannelLayer, LayerUnavailable } from "@sluice/core";
import { openLayer } from "../layer/open-layer.js";
import { createLogger } from "../logger.js";
import { openServices, type Services } from "../services.js";
import { layerChoice } from "../settings/layer.js";
import { readSettings, type Settings } from "../settings.js";

/**
 * Runs a command on the application's services, on a database that is up to date, and closes them again. Servers are told of
 * what it does, as far as they can be.
 */
export async function withServices(command: (services: Services) => Promise<void>): Promise<void> {
  const settings = readSettings(process.env);
  const services = await openServices(settings, createLogger({ LOG_LEVEL: "error" }), await layerOf(settings));
  try {
    await services.database.migrate();
    await command(services);
  } finally {
    await services.close();
  }
}

async function layerOf(settings: Settings): Promise<ChannelLayer> {
  const choice = layerChoice(settings);
  try {
    return await openLayer(choice, createLogger({ LOG_LEVEL: "silent" }));
  } catch (error) {
    if (!(error instanceof LayerUnavailable)) throw error;
    process.stderr.write(`sluice: ${error.message}; servers hear nothing of this command\n`);
    return new InMemoryChannelLayer();
  }
}
