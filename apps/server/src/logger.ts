import cluster from "node:cluster";
import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import pretty from "pino-pretty";
import type { Settings } from "./settings.js";

/** Bytes of log that are kept for a destination that takes none. What comes on top is lost. */
const maxBacklog = 1024 * 1024;

/**
 * JSON lines, or lines for people on a terminal. What is secret is kept out where it arises; this is the second net.
 * A destination that fails, such as a full disk, ends nothing: lines are kept for it for a while, then dropped.
 */
export function createLogger(settings: Pick<Settings, "LOG_LEVEL">): PinoLogger {
  const options = {
    level: settings.LOG_LEVEL,
    // Several processes write into one log.
    base: cluster.isWorker ? { pid: process.pid } : null,
    redact: {
      paths: ["*.password", "*.token", "*.authorization", "*.cookie", '*["sec-websocket-protocol"]', "*.queryString"],
      censor: "[redacted]",
    },
  };
  // There is nowhere left to complain to.
  process.stdout.on("error", () => {});
  return pino(options, process.stdout.isTTY ? forPeople() : standardOutput());
}

function standardOutput(): DestinationStream {
  const destination = pino.destination({ sync: true, maxLength: maxBacklog });
  // With a full backlog it would never look again whether there is room.
  return destination.on("error", () => {}).on("drop", () => destination.write(""));
}

function forPeople(): DestinationStream {
  return pretty({ colorize: true, translateTime: "SYS:HH:MM:ss", singleLine: true, sync: true }).on("error", () => {});
}
