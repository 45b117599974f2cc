/** `npm run soak`: connections that come and go, chat and crash, and a server that must not grow of it. */
import { constants } from "node:os";
import { type Options, readArguments, usage } from "./arguments.js";
import { openFilesLimit, tooFewOpenFiles } from "./open-files.js";
import { reportOf } from "./report.js";
import { soak } from "./soak.js";
import { judge } from "./verdict.js";

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
  const problem = tooFewOpenFiles(options.connections, openFilesLimit());
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`);
    return 2;
  }

  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interruption.abort(signal));
  }
  try {
    const tell = (line: string): void => void process.stderr.write(`${line}\n`);
    const course = await soak({ ...options, tell, signal: interruption.signal });
    const verdict = judge(course);
    process.stdout.write(reportOf(options, course, verdict));
    return verdict.faults.length === 0 ? 0 : 1;
  } catch (error) {
    if (interruption.signal.aborted) return 128 + constants.signals[interruption.signal.reason as "SIGINT" | "SIGTERM"];
    process.stderr.write(`The soak failed. ${(error as Error).message}\n`);
    return 1;
  }
}
