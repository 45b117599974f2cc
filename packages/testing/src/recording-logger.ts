import type { Logger } from "@sluice/core";

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: object;
}

/** Keeps what is logged, for a test to look at, and hands it on to another logger if there is one. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];
  readonly #next: Logger | undefined;

  constructor(next?: Logger) {
    this.#next = next;
  }

  debug(fields: object, message: string): void {
    this.#log("debug", fields, message);
  }

  info(fields: object, message: string): void {
    this.#log("info", fields, message);
  }

  warn(fields: object, message: string): void {
    this.#log("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#log("error", fields, message);
  }

  /** What was logged as `err`, in order. */
  get errors(): unknown[] {
    return this.lines.flatMap(({ fields }) => ("err" in fields ? [fields.err] : []));
  }

  /** The last warning or error, for a message: `; the last line of the log is "..."`. Empty without one. */
  lastTrouble(): string {
    const line = this.lines.filter(({ level }) => level === "warn" || level === "error").at(-1);
    if (line === undefined) return "";
    const error = "err" in line.fields && line.fields.err instanceof Error ? ` (${line.fields.err.message})` : "";
    return `; the last line of the log is "${line.message}"${error}`;
  }

  #log(level: keyof Logger, fields: object, message: string): void {
    this.lines.push({ level, message, fields });
    this.#next?.[level](fields, message);
  }
}
