import type { Logger } from "../ports/logger.js";

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
  const report = (error: unknown): void => {
    try {
      logger.error({ err: error }, "the transport failed in a callback");
    } catch {
      // A logger that fails has nobody left to tell.
    }
  };
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
