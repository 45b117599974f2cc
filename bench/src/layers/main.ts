/** `npm run check:layers`: what three processes say to each other through a layer, and whether all of it arrives. */
import { constants } from "node:os";
import { openFilesLimit, tooFewOpenFiles } from "../soak/open-files.js";
import { type Options, readArguments, usage } from "./arguments.js";
import { brokers } from "./brokers.js";
import { checkLayer } from "./check-layer.js";
import type { LayerName } from "./layers.js";
import { figuresOf, sentencesOf } from "./report.js";
import { judge } from "./verdict.js";

process.exitCode = await main(process.argv.slice(2));

/** Returns the exit code: 2 for wrong arguments and what is missing, 1 for a fault, 128 and the signal's number if there was one. */
async function main(given: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readArguments(given);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    return 2;
  }
  const problem = problemOf(options);
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`);
    return 2;
  }

  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interruption.abort(signal));
  }
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const results: Record<string, unknown> = {};
  let good = true;
  for (const layer of options.layers) {
    try {
      const url = urlFor(layer, options);
      const course = await checkLayer(layer, { ...options, url, tell, signal: interruption.signal });
      const faults = judge(course);
      process.stdout.write(sentencesOf(course, faults));
      results[layer] = figuresOf(course, faults);
      good &&= faults.length === 0;
    } catch (error) {
      if (interruption.signal.aborted)
        return 128 + constants.signals[interruption.signal.reason as "SIGINT" | "SIGTERM"];
      const fault = `The check of ${layer} failed. ${(error as Error).message}`;
      process.stdout.write(`${fault}\n`);
      results[layer] = { ok: false, faults: [fault] };
      good = false;
    }
  }
  process.stdout.write(`${JSON.stringify(results)}\n`);
  return good ? 0 : 1;
}

/** Undefined where a server is to be started. */
function urlFor(layer: LayerName, { url }: Options): string | undefined {
  return url ?? (layer === "redis" ? process.env.REDIS_URL || undefined : undefined);
}

/** What stands in the way of a run; undefined if nothing does. */
function problemOf(options: Options): string | undefined {
  for (const layer of options.layers) {
    if (urlFor(layer, options) === undefined) {
      const missing = brokers[layer].missing();
      if (missing !== undefined) return missing;
    } else if (options.kill || options.freeze) {
      return "--kill and --freeze are for a server that is started here: unset REDIS_URL.";
    }
  }
  return tooFewOpenFiles(options.sockets, openFilesLimit());
}
