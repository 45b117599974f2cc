/** `npm run bench`: what the pipeline costs, as ratios to a control in the same run. */
import { writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { type Options, readArguments, usage } from "./arguments.js";
import { benchmark } from "./benchmark.js";
import { environment } from "./environment.js";
import { jsonReport, markdownReport } from "./report.js";
import { contestants } from "./servers/contestants.js";

process.exitCode = await main(process.argv.slice(2));

/** Returns the exit code: 2 for wrong arguments, 1 for a failure, 128 and the signal's number if there was one. */
async function main(given: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readArguments(given);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    return 2;
  }

  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interruption.abort(signal));
  }
  try {
    const tell = (line: string): void => void process.stderr.write(`${line}\n`);
    const results = await benchmark({ ...options, tell, signal: interruption.signal });
    process.stdout.write(`\n${markdownReport(results, contestants, environment())}`);
    if (options.json !== undefined) await writeFile(options.json, jsonReport(results, contestants, environment()));
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) return 128 + constants.signals[interruption.signal.reason as "SIGINT" | "SIGTERM"];
    process.stderr.write(`The benchmark failed. ${(error as Error).message}\n`);
    return 1;
  }
}
