import type { Logger } from "./logger.js";

/** The same logger, but for its failures: a full disk must end no connection, and no process. */
export function steadyLogger(logger: Logger): Logger {
  const steady =
    (level: keyof Logger) =>
    (fields: object, message: string): void => {
      try {
        logger[level](fields, message);
      } catch {
        // Where a logger fails there is nobody left to tell.
      }
    };
  return { debug: steady("debug"), info: steady("info"), warn: steady("warn"), error: steady("error") };
}
