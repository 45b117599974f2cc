import { randomBytes } from "node:crypto";
import type { RunOptions } from "./arguments.js";
import { withBroker } from "./checks/with-broker.js";
import { Field, type FieldOptions } from "./field.js";
import { Children } from "./processes/children.js";
import type { RowRecord } from "./report/record.js";
import { databaseVariable, secretVariable } from "./servers/site.js";

/** Milliseconds a process has for an answer, of which the longest is thousands of slow handshakes away: so that a run always ends. */
const timeLimit = 300_000;

/**
 * While the others have their turns a server has nothing to do. After eight seconds of that V8 gives back memory and compiled code, which
 * it then makes again at the expense of the next turn.
 */
const awake = ["--no-memory-reducer"];

export interface BenchmarkOptions extends FieldOptions, Pick<RunOptions, "rows" | "url"> {
  /** Given what has been measured so far, after each row: a run may take long, and end before its time. */
  readonly keep?: (rows: readonly RowRecord[]) => Promise<void>;
}

/**
 * Measures row by row all contestants that have a place for it: each in a process of its own, with its clients in another. A
 * contestant that does not answer as it must fails in that row, or at a point of it, and the others go on. No process is left
 * when this settles.
 */
export async function benchmark(options: BenchmarkOptions): Promise<RowRecord[]> {
  const { rows, url, signal } = options;
  if (!rows.some(({ place }) => place === "opaque")) return measureRows({}, options);
  return withBroker("postgres", { url, signal, timeLimit, transport: "uws" }, async ({ keeper }) => {
    const database = url ?? (await keeper?.ask("url")) ?? "";
    await makeTables(database);
    return measureRows({ [databaseVariable]: database }, options);
  });
}

async function makeTables(url: string): Promise<void> {
  const { openDatabase } = await import("@sluice/store-drizzle");
  const database = await openDatabase({ url });
  try {
    await database.migrate();
  } finally {
    await database.close();
  }
}

async function measureRows(env: Readonly<Record<string, string>>, options: BenchmarkOptions): Promise<RowRecord[]> {
  const { rows, tell, signal, keep } = options;
  const secret = randomBytes(32).toString("hex");
  const children = new Children({ env: { ...env, [secretVariable]: secret }, flags: awake, timeLimit });
  const abort = (): void => void children.end();
  signal.addEventListener("abort", abort);
  try {
    const field = new Field(children, options);
    const records: RowRecord[] = [];
    for (const [index, row] of rows.entries()) {
      signal.throwIfAborted();
      tell(`[${index + 1}/${rows.length}] ${row.title}`);
      records.push(await field.measure(row));
      await keep?.(records);
    }
    signal.throwIfAborted();
    return records;
  } finally {
    signal.removeEventListener("abort", abort);
    await children.end();
  }
}
