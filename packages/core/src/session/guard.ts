import type { Logger } from "../ports/logger.js";
import { steadyLogger } from "../ports/steady-logger.js";

/**
 * Wraps a callback of the event loop's so that nothing unwinds through it: neither native code nor the loop has anybody
 * who would catch it, and the process would end. `rescue` gets the same arguments after a failure, to leave nothing half
 * done.
 */
export type Guard = <Parameters extends unknown[]>(
  callback: (...parameters: Parameters) => void,
  rescue?: (...parameters: Parameters) => void,
) => (...parameters: Parameters) => void;

/** For transports. `logger` is told what went wrong. */
export function createGuard(logger: Logger): Guard {
  const steady = steadyLogger(logger);
  const report = (err: unknown): void => steady.error({ err }, "the transport failed in a callback");
  return (callback, rescue) =>
    (...parameters) => {
      try {
        callback(...parameters);
      } catch (error) {
        report(error);
        try {
          rescue?.(...parameters);
        } catch (second) {
          report(second);
        }
      }
    };
}
