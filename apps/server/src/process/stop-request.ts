import type { Logger } from "@sluice/core";
import { CommandFailure } from "../cli/failure.js";

/** Why a process is to stop. */
export interface StopRequest {
  readonly reason: string;
  /** True if it must not end as if all were well. */
  readonly failed: boolean;
}

/** What a command ends with after a `StopRequest` that has `failed`. */
export class UncaughtFailure extends CommandFailure {
  constructor() {
    super("stopped after an error that nothing caught; the log has it");
  }
}

/**
 * Resolves with the first reason to stop: SIGTERM, SIGINT, or an error that nothing caught. A second signal calls
 * `onSecondSignal`, which ends the process at once if left out; so does a second error.
 *
 * After an uncaught error nobody knows what is half done, so serving on is no choice; but the other connections have
 * nothing to do with it, and get the same orderly end as on a signal. A rejected promise that nobody awaits is no such
 * case: nothing was interrupted. It is logged.
 */
export function stopRequest(logger: Logger, onSecondSignal: () => void = exitAtOnce): Promise<StopRequest> {
  process.on("unhandledRejection", (reason) => logger.error({ err: reason }, "nobody awaited a promise that failed"));
  return new Promise((resolve) => {
    let asked = false;
    const stop = (request: StopRequest, onSecond: () => void): void => {
      if (asked) onSecond();
      asked = true;
      resolve(request);
    };
    process.on("uncaughtException", (error) => {
      logger.error({ err: error }, "nothing caught an error");
      stop({ reason: "uncaughtException", failed: true }, exitAtOnce);
    });
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => stop({ reason: signal, failed: false }, onSecondSignal));
    }
  });
}

function exitAtOnce(): void {
  process.exit(1);
}
