import { inspect } from "node:util";
import { DenyConnection } from "@sluice/core";
import type { LogLine, RecordingLogger } from "./recording-logger.js";

/** One thing that an application failed with; anything can be thrown. */
export interface Failure {
  readonly error: unknown;
}

/**
 * What the application failed with, each of them told to the test once: by the verb that ran into it, or at the end.
 * A refusal is an answer and no failure, whatever its status.
 */
export class Failures {
  readonly #logger: RecordingLogger;
  readonly #told = new Set<LogLine>();

  constructor(logger: RecordingLogger) {
    this.#logger = logger;
  }

  /** Those that nobody has been told of. */
  takeAll(): Failure[] {
    return this.#untold().map((line) => this.#tell(line));
  }

  /** The one that is `own`, if nobody has been told of it, else with `orLast` the last that nobody has been told of. */
  take(own: Failure | undefined, orLast: boolean): Failure | undefined {
    const untold = this.#untold();
    const line = (own && untold.find((each) => errorOf(each) === own.error)) ?? (orLast ? untold.at(-1) : undefined);
    return line && this.#tell(line);
  }

  #tell(line: LogLine): Failure {
    this.#told.add(line);
    return { error: errorOf(line) };
  }

  #untold(): LogLine[] {
    return this.#logger.lines.filter(
      (line) =>
        line.level === "error" &&
        "err" in line.fields &&
        !(errorOf(line) instanceof DenyConnection) &&
        !this.#told.has(line),
    );
  }
}

function errorOf({ fields }: LogLine): unknown {
  return "err" in fields ? fields.err : undefined;
}

/** An error in a few words. */
export function inWords(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${inspect(error, { depth: 0 })}`;
}

/** For a test that expected something else than the failure of its application. */
export function applicationFailed(expected: string, { error }: Failure): Error {
  return new Error(`expected ${expected}, but the application failed: ${inWords(error)}`, { cause: error });
}

/** For a test that nothing has told of these. */
export function applicationsFailed(failures: readonly Failure[]): AggregateError {
  const errors = failures.map(({ error }) => error);
  const times = errors.length === 1 ? "once" : `${errors.length} times`;
  return new AggregateError(
    errors,
    `the application failed ${times}: ${errors.map(inWords).join("; ")}. If the test means it to, set expectErrors`,
  );
}
