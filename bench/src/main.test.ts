/** Runs what is built: `tsc -b` comes first. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { skipWithoutBinary } from "../../packages/transport-uws/test/skip-without-binary.js";
import type { Round } from "./measure/rounds.js";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

interface Run {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves when it has ended and everything that it printed is there. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>;
}

function bench(...given: string[]): Run {
  const process = spawn(globalThis.process.execPath, [main, ...given]);
  onTestFinished(() => void process.kill("SIGKILL"));
  let output = "";
  let errors = "";
  process.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  process.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const ended = once(process, "close").then(([code]: number[]) => ({ code: code ?? null, output, errors }));
  return { process, ended };
}

test("a short run measures everything, and every answer is right", async (context) => {
  skipWithoutBinary(context);
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const json = join(folder, "out.json");
  const { code, output, errors } = await bench("--rounds", "1", "--units", "300", "--json", json).ended;
  expect({ code, errors }).toEqual({
    code: 0,
    errors: expect.stringMatching(
      /^authenticated handshake: .*\nhandshake with a token seen before: .*\ntext echo, 66 bytes: .*\n$/,
    ),
  });
  expect(output).toMatch(/\| authenticated handshake \| Sluice on uWebSockets.js \| \*\*\d+\.\d\d\*\* \|/);
  expect(output).toMatch(/\| text echo, 66 bytes \| uWebSockets.js and jose by hand \| 1 \|/);

  const { results } = JSON.parse(await readFile(json, "utf8")) as {
    readonly results: readonly { readonly measure: string; readonly rounds: readonly Round[] }[];
  };
  const units = results.map(({ measure, rounds }) => [
    measure,
    ...rounds.flatMap((round) => Object.entries(round).map(([name, sample]) => [name, sample.units])),
  ]);
  // Messages come in bursts of 64 on 16 connections.
  expect(units).toEqual([
    ["handshake", ["sluice-uws", 300], ["control-uws", 300]],
    ["reconnect", ["sluice-uws", 300], ["control-uws", 300]],
    ["echo", ["sluice-uws", 1024], ["control-uws", 1024]],
  ]);
});

test("wrong arguments are answered with the usage", async () => {
  const { code, output, errors } = await bench("--rounds", "many").ended;
  expect({ code, output }).toEqual({ code: 2, output: "" });
  expect(errors).toContain("expected --rounds to be a whole number from 1 to 100, got many\nusage: ");
});

describe.skipIf(process.platform !== "linux")("the processes of a run (skipped where there is no /proc)", () => {
  beforeEach(skipWithoutBinary);

  /** The processes that a run has started, by the file that each runs. */
  function childrenOf({ pid }: ChildProcessWithoutNullStreams): Map<string, number> {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    const files = pids.map((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").split("\0")[1] ?? "");
    return new Map(files.map((file, index) => [file.split("/").slice(-2).join("/"), pids[index] ?? 0]));
  }

  const everyone = ["driver/main.js", "servers/sluice-uws.js", "servers/control-uws.js"];

  function isAlive(pid: number): boolean {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  /** A run that would take minutes, in the middle of its first measure. */
  async function underWay(): Promise<{ readonly run: Run; readonly children: Map<string, number> }> {
    const run = bench("--rounds", "100", "--units", "10000");
    await once(run.process.stderr, "data");
    const children = childrenOf(run.process);
    expect([...children.keys()]).toEqual(everyone);
    return { run, children };
  }

  test("a server that dies fails the run, which says which and how", async () => {
    const { run, children } = await underWay();
    process.kill(children.get("servers/sluice-uws.js") ?? 0, "SIGKILL");
    const { code, output, errors } = await run.ended;
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toMatch(/The benchmark failed\. sluice-uws, authenticated handshake: expected .*ended with SIGKILL/);
    expect([...children.values()].filter(isAlive)).toEqual([]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends all of them", async (signal, expected) => {
    const { run, children } = await underWay();
    run.process.kill(signal);
    expect((await run.ended).code).toBe(expected);
    expect([...children.values()].filter(isAlive)).toEqual([]);
  });

  test("none of them outlives a run that is killed", async () => {
    const { run, children } = await underWay();
    run.process.kill("SIGKILL");
    await run.ended;
    await expect.poll(() => [...children.values()].filter(isAlive), { timeout: 10_000 }).toEqual([]);
  });
});
