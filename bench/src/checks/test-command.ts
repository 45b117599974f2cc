/** Runs what is built, for tests: `tsc -b` comes first. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished, type TestContext } from "vitest";

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Resolves when the command has ended. Its environment is that of this process but for `REDIS_URL`, unless one is given. */
export async function runBuilt(
  command: "layers" | "revoke",
  given: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<Ran> {
  const { REDIS_URL: _, ...inherited } = process.env;
  const main = fileURLToPath(new URL(`../../dist/${command}/main.js`, import.meta.url));
  const running = spawn(process.execPath, [main, ...given], { env: env ?? inherited });
  onTestFinished(() => void running.kill("SIGKILL"));
  const [[code], output, errors] = await Promise.all([
    once(running, "close") as Promise<[number]>,
    text(running.stdout),
    text(running.stderr),
  ]);
  return { code, output, errors };
}

/** What a command prints last. */
export function lastLine(output: string): unknown {
  return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
}

export function skipBecause({ skip }: TestContext, missing: string): never {
  if (process.env.CI) throw new Error(missing);
  return skip(missing);
}
