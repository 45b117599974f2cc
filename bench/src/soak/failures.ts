import { type Logger, silentLogger } from "@sluice/core";

/** What the application throws on purpose. */
export class PlannedFailure extends Error {
  override readonly name = "PlannedFailure";
}

/** How many of the others are kept with their words. */
const kept = 5;

/** Counts what a server logs as errors: those that were meant to happen, and the others. */
export class Failures {
  planned = 0;
  unplanned = 0;
  /** The first few of the unplanned. */
  readonly examples: string[] = [];

  readonly logger: Logger = {
    ...silentLogger,
    error: (fields, message) => this.#note("err" in fields ? fields.err : undefined, message),
  };

  #note(error: unknown, message: string): void {
    if (error instanceof PlannedFailure) {
      this.planned++;
      return;
    }
    this.unplanned++;
    if (this.examples.length < kept) {
      this.examples.push(`${message}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
}
