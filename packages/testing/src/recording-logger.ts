import type { Logger } from "@sluice/core";

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: object;
}

/** Keeps what is logged, for a test to look at. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ level: "debug", message, fields });
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: "info", message, fields });
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: "warn", message, fields });
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: "error", message, fields });
  }

  /** What was logged as `err`, in order. */
  get errors(): unknown[] {
    return this.lines.flatMap(({ fields }) => ("err" in fields ? [fields.err] : []));
  }
}
