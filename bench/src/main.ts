/** `npm run bench`: what the pipeline costs, beside controls and peers in the same run. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { type CompareOptions, type RunOptions, readArguments, usage } from "./arguments.js";
import { benchmark } from "./benchmark.js";
import { environment } from "./environment.js";
import { compareReport } from "./report/compare.js";
import { jsonReport, readReport } from "./report/json.js";
import { markdownReport } from "./report/markdown.js";
import { plotsOf } from "./report/plots.js";
import type { Entrant, RowRecord, RunRecord } from "./report/record.js";
import { rows } from "./rows/rows.js";
import type { Contestant } from "./servers/contestants.js";
import { tooFewFiles } from "./too-few-files.js";

process.exitCode = await main(process.argv.slice(2));

/**
 * Returns the exit code: 2 for wrong arguments and what stands in the way, 1 for a failure, 128 and the signal's number if
 * there was one.
 */
async function main(given: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readArguments>;
  try {
    options = readArguments(given);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    return 2;
  }
  if (options.command === "run") return run(options);
  if (options.command === "compare") return compare(options);
  process.stdout.write(`${usage}\n`);
  return 0;
}

async function compare({ before, after }: CompareOptions): Promise<number> {
  try {
    const [first, second] = await Promise.all(
      [before, after].map(async (name) => readReport(await readFile(name, "utf8"), name)),
    );
    if (first !== undefined && second !== undefined) process.stdout.write(compareReport(first, second));
    return 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
}

async function run(options: RunOptions): Promise<number> {
  const problem = tooFewFiles(options);
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`);
    return 2;
  }
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interruption.abort(signal));
  }
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  try {
    const entrants = options.contestants.map(entrantOf);
    for (const { title, missing } of entrants) {
      if (missing !== undefined) tell(`${title} is missing: ${missing}`);
    }
    const able = options.contestants.filter(
      (contestant) => !entrants.some(({ name, missing }) => name === contestant.name && missing !== undefined),
    );
    const begun = environment();
    const recordOf = (measured: readonly RowRecord[]): RunRecord => {
      return { environment: begun, pace: options.pace, contestants: entrants, rows: measured };
    };
    const measured = await benchmark({
      ...options,
      contestants: able,
      tell,
      signal: interruption.signal,
      keep: (soFar) => save(options.out, { "results.json": jsonReport(recordOf(soFar)) }),
    });
    const record = recordOf(measured);
    const report = markdownReport(record, rows);
    process.stdout.write(`\n${report}`);
    await save(options.out, { "figures.md": report, "results.json": jsonReport(record), ...plotsOf(record) });
    if (options.json !== undefined) await writeFile(options.json, jsonReport(record));
    tell(`The table, the plots and every sample are in ${options.out}.`);
    return measured.some(({ failures }) => failures.length > 0) ? 1 : 0;
  } catch (error) {
    if (interruption.signal.aborted) return 128 + constants.signals[interruption.signal.reason as "SIGINT" | "SIGTERM"];
    process.stderr.write(`The benchmark failed. ${(error as Error).message}\n`);
    return 1;
  }
}

function entrantOf(contestant: Contestant): Entrant {
  const { name, title, control } = contestant;
  const missing = contestant.missing();
  return {
    name,
    title,
    ...(control !== undefined && { control }),
    versions: missing === undefined ? contestant.versions() : [],
    ...(missing !== undefined && { missing }),
  };
}

async function save(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}
