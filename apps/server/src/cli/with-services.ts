import { createLogger } from "../logger.js";
import { openServices, type Services } from "../services.js";
import { readSettings } from "../settings.js";

/** Runs a command on the application's services, on a database that is up to date, and closes them again. */
export async function withServices(command: (services: Services) => Promise<void>): Promise<void> {
  const settings = readSettings(process.env);
  const services = await openServices(settings, createLogger({ LOG_LEVEL: "warn" }));
  try {
    await services.database.migrate();
    await command(services);
  } finally {
    await services.close();
  }
}
