import { InMemoryChannelLayer } from "@sluice/core";
import { createLogger } from "../logger.js";
import { openServices, type Services } from "../services.js";
import { readSettings } from "../settings.js";

/** Runs a command on the application's services, on a database that is up to date, and closes them again. */
export async function withServices(command: (services: Services) => Promise<void>): Promise<void> {
  const settings = readSettings(process.env);
  // What these commands do is told to nobody but the database.
  const services = await openServices(settings, createLogger({ LOG_LEVEL: "warn" }), new InMemoryChannelLayer());
  try {
    await services.database.migrate();
    await command(services);
  } finally {
    await services.close();
  }
}
