import { constants } from "node:os";
import { openFilesLimit, tooFewOpenFiles } from "../soak/open-files.js";
import { brokers } from "./brokers.js";
import type { LayerName } from "./layers.js";
import type { CheckedLayers } from "./options.js";

/** What every check of one layer is given besides its options. */
export interface CheckContext {
  readonly tell: (line: string) => void;
  /** Ends the run early: it rejects then. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  /** What is wrong, a sentence each. */
  readonly faults: readonly string[];
  /** What the run has shown, or what is wrong, in lines. */
  readonly sentences: string;
  /** For the last line of the output. */
  readonly figures: Readonly<Record<string, unknown>>;
}

/** A command that checks something on each layer. */
export interface Check<Options extends CheckedLayers> {
  readonly usage: string;
  /** Throws a `TypeError` for arguments that it does not know or cannot use. */
  readArguments(given: readonly string[]): Options;
  /** What stands in the way of a run on a server that was not started here, if anything does. */
  refuse?(options: Options): string | undefined;
  run(layer: LayerName, options: Options & CheckContext): Promise<Outcome>;
}

/** Resolves with the exit code: 2 for wrong arguments and what is missing, 1 for a fault, 128 and the signal's number if there was one. */
export async function runCheck<Options extends CheckedLayers>(
  check: Check<Options>,
  given: readonly string[],
): Promise<number> {
  let options: Options;
  try {
    options = check.readArguments(given);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${check.usage}\n`);
    return 2;
  }
  const problem = problemOf(check, options);
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
      const { faults, sentences, figures } = await check.run(layer, {
        ...options,
        url,
        tell,
        signal: interruption.signal,
      });
      process.stdout.write(sentences);
      results[layer] = figures;
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
function urlFor(layer: LayerName, { url }: CheckedLayers): string | undefined {
  return url ?? (layer === "redis" ? process.env.REDIS_URL || undefined : undefined);
}

/** What stands in the way of a run; undefined if nothing does. */
function problemOf<Options extends CheckedLayers>(check: Check<Options>, options: Options): string | undefined {
  for (const layer of options.layers) {
    const problem = urlFor(layer, options) === undefined ? brokers[layer].missing() : check.refuse?.(options);
    if (problem !== undefined) return problem;
  }
  return tooFewOpenFiles(options.sockets, openFilesLimit());
}
