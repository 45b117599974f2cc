import { constants } from "node:buffer";
import cluster from "node:cluster";
import {
  ConfigurationError,
  checkServeOptions,
  type Limits,
  type ServeOptions,
  type ServeSettings,
} from "@sluice/core";

/** Throws `ConfigurationError` for an option out of its range. */
export function checkOptions(options: ServeOptions): ServeSettings {
  checkMessageSize(options.limits);
  const settings = checkServeOptions(options);
  if (settings.sharedPort && !canReusePort() && !cluster.isWorker) {
    throw new ConfigurationError(
      `expected Node 22.12 or later, or a worker of node:cluster, for sharedPort, got Node ${process.versions.node}`,
    );
  }
  return settings;
}

/** Throws `ConfigurationError` where a text of the size could not be handed over as a string. */
export function checkMessageSize(limits: Partial<Limits> = {}): void {
  const { maxMessageSize = 1 } = limits;
  if (maxMessageSize > constants.MAX_STRING_LENGTH) {
    throw new ConfigurationError(
      `expected limits.maxMessageSize to be at most ${constants.MAX_STRING_LENGTH}, got ${maxMessageSize}`,
    );
  }
}

/** True where `listen` knows `reusePort`: from 22.12 on, and from 23.1. Elsewhere it is ignored. */
export function canReusePort(version: string = process.versions.node): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}
