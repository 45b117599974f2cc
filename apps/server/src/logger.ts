import { type Logger as PinoLogger, pino } from "pino";
import pretty from "pino-pretty";
import type { Settings } from "./settings.js";

/** JSON lines, or lines for people on a terminal. What is secret is kept out where it arises; this is the second net. */
export function createLogger(settings: Pick<Settings, "LOG_LEVEL">): PinoLogger {
  const options = {
    level: settings.LOG_LEVEL,
    base: null,
    redact: {
      paths: ["*.password", "*.token", "*.authorization", "*.cookie", '*["sec-websocket-protocol"]', "*.queryString"],
      censor: "[redacted]",
    },
  };
  return process.stdout.isTTY
    ? pino(options, pretty({ colorize: true, translateTime: "SYS:HH:MM:ss", singleLine: true, sync: true }))
    : pino(options, pino.destination({ sync: true }));
}
