import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, type TestContext, test } from "vitest";
import type { EndLine, TestLine } from "./line-reporter.js";

/** A runtime other than the one that runs the tests. */
export interface Runtime {
  readonly name: string;
  /** Itself, not a script that starts it: what is to end it would end the script. */
  readonly binary: string;
  /** What makes it run a file. */
  readonly run: readonly string[];
  /** The example's own folder, with the contract in `test/contract.ts`. */
  readonly directory: string;
}

interface Report {
  readonly tests: readonly TestLine[];
  readonly end: EndLine | undefined;
  readonly exitCode: number | null;
  readonly output: string;
}

/** Milliseconds for the whole run. */
const timeout = 300_000;

/** Skips the test where the runtime does not start; fails it in CI, which has to have it. */
export function needs({ name, binary }: Runtime, context: TestContext): void {
  if (isInstalled(binary)) return;
  if (process.env.CI) throw new Error(`expected ${binary} to start; install it with npm run setup`);
  context.skip(`${name} is not installed`);
}

/** Its binary comes by a package that has not every platform, and by an install script. */
function isInstalled(binary: string): boolean {
  return spawnSync(binary, ["--version"]).status === 0;
}

/**
 * Runs an example's contract inside its runtime, and makes each of its tests one of this file's. Call it at the top of the
 * file: which tests there are is known when they have run.
 */
export async function contractIn(runtime: Runtime): Promise<void> {
  if (!isInstalled(runtime.binary)) {
    test(`the contract in ${runtime.name}`, (context) => needs(runtime, context));
    return;
  }
  const { tests, end, exitCode, output } = await runContract(runtime);
  describe(`in ${runtime.name}`, () => {
    for (const { name, state, note, errors, meta } of tests) {
      test(name, (context) => {
        Object.assign(context.task.meta, meta);
        context.skip(state === "skipped", note);
        if (state === "failed") throw new Error(errors.join("\n\n"));
      });
    }

    test("the run came to its end", () => {
      expect(tests.length, output).toBeGreaterThan(100);
      expect(end, output).toEqual({ unhandled: [] });
      expect(exitCode, output).toBe(tests.some(({ state }) => state === "failed") ? 1 : 0);
    });
  });
}

async function runContract({ binary, run, directory }: Runtime): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-"));
  try {
    const lines = join(folder, "tests.jsonl");
    const config = fileURLToPath(new URL("vitest.config.ts", import.meta.url));
    const args = [...run, "node_modules/vitest/vitest.mjs", "run", "--config", config, "--root", directory];
    const child = spawn(binary, args, { cwd: directory, env: environment({ TEST_LINES: lines }), timeout });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const [exitCode] = (await once(child, "close")) as [number | null];
    const parsed: (TestLine | EndLine)[] = (await readFile(lines, "utf8").catch(() => ""))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
    return {
      tests: parsed.filter((line): line is TestLine => "name" in line),
      end: parsed.find((line): line is EndLine => "unhandled" in line),
      exitCode,
      output: (await output).join("\n"),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** This process's own, without what its test runner told it. */
function environment(more: Record<string, string>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"));
  return { ...Object.fromEntries(own), NO_COLOR: "1", ...more };
}
