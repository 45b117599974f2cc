import type { RunRecord } from "./record.js";

export function jsonReport(record: RunRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** Throws a `TypeError` for what `jsonReport` has not made; `name` is the file's, for that. */
export function readReport(text: string, name: string): RunRecord {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`expected the JSON of a run in ${name}, got ${(error as Error).message}`, { cause: error });
  }
  const { rows, contestants } = (content ?? {}) as Partial<RunRecord>;
  if (!Array.isArray(rows) || !Array.isArray(contestants)) {
    throw new TypeError(`expected the JSON of a run in ${name}, got something without rows or contestants`);
  }
  return content as RunRecord;
}
