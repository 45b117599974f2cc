/** Runs what is built: `tsc -b` comes first. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { skipWithoutBinary } from "../../packages/transport-uws/test/skip-without-binary.js";
import { jsonReport, readReport } from "./report/json.js";
import { record } from "./report/test-record.js";

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

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test("a short run measures what it is asked to, and every answer is right", async (context) => {
  skipWithoutBinary(context);
  const folder = await temporaryFolder();
  const only = "handshake,refused-token,echo,group,me,storm";
  const given = ["--only", only, "--against", "none", "--rounds", "1", "--units", "20", "--out", folder];
  const { code, output, errors } = await bench(...given).ended;
  expect({ code, errors }).toEqual({
    code: 0,
    errors: expect.stringMatching(/^\[1\/6\] handshake with a JWT never seen/),
  });
  expect(output).toMatch(/\| handshake with a JWT never seen before \| at most 1\.10 times .* \| \d/);
  expect(output).toMatch(/\| 20 \| Sluice on uWebSockets.js \| \d/);

  const { rows } = readReport(await readFile(join(folder, "results.json"), "utf8"), "results.json");
  expect(rows.map(({ name, failures }) => [name, failures])).toEqual(only.split(",").map((name) => [name, []]));
  const units = rows.map(({ name, points }) => [
    name,
    ...points.map(({ rounds }) => rounds.map((round) => Object.values(round).map((sample) => sample.units))),
  ]);
  expect(Object.fromEntries(units.map(([name, ...rounds]) => [name, rounds]))).toMatchObject({
    handshake: [[[20, 20, 20, 20]]],
    // Messages come in bursts of 64 on 16 connections.
    echo: [[[1024, 1024, 1024, 1024]]],
    group: [[[20, 20, 20, 20]], [[20, 20, 20, 20]]],
    // The control on node:http has no such place.
    me: [[[20, 20, 20]]],
  });
  expect((await readdir(folder)).sort()).toEqual(
    ["figures.md", "results.json", ...only.split(",").map((name) => `${name}.svg`)].sort(),
  );
});

test("two runs are compared, and what is no run is refused", async () => {
  const folder = await temporaryFolder();
  const [good, bad] = [join(folder, "good.json"), join(folder, "bad.json")];
  await writeFile(good, jsonReport(record));
  await writeFile(bad, "{}");
  const compared = await bench("--compare", good, good).ended;
  expect({ code: compared.code, errors: compared.errors }).toEqual({ code: 0, errors: "" });
  expect(compared.output).toContain("| handshake with a token | Ours | 120 us | 120 us | +0 % | 1.20 | 1.20 |  |");
  const refused = await bench("--compare", good, bad).ended;
  expect({ code: refused.code, output: refused.output }).toEqual({ code: 2, output: "" });
  expect(refused.errors).toContain(`expected the JSON of a run in ${bad}, got something without rows or contestants`);
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
    // The first argument that is no flag of Node's.
    const files = pids.map(
      (child) => /\0([^-\0][^\0]*)/.exec(readFileSync(`/proc/${child}/cmdline`, "utf8"))?.[1] ?? "",
    );
    return new Map(files.map((file, index) => [file.split("/").slice(-2).join("/"), pids[index] ?? 0]));
  }

  /** The first of a run's contestants. */
  const first = ["driver/main.js", "servers/sluice-uws.js"];

  function isAlive(pid: number): boolean {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  /** A run whose first contestant is about to be measured. */
  async function underWay(...given: string[]): Promise<{ readonly run: Run; readonly children: Map<string, number> }> {
    const run = bench("--only", "handshake", "--against", "none", "--out", await temporaryFolder(), ...given);
    let children = new Map<string, number>();
    await expect
      .poll(
        () => {
          children = childrenOf(run.process);
          return [...children.keys()].sort();
        },
        { interval: 5 },
      )
      .toEqual(first);
    return { run, children };
  }

  /** Would take minutes. */
  const long = ["--rounds", "100", "--units", "10000"];

  test("a server that dies fails in its row, which says how, and the others go on", async () => {
    const { run, children } = await underWay("--rounds", "1", "--units", "20");
    process.kill(children.get("servers/sluice-uws.js") ?? 0, "SIGKILL");
    const { code, output, errors } = await run.ended;
    expect(code).toBe(1);
    expect(errors).toMatch(/sluice-uws failed: expected .*ended with SIGKILL/);
    expect(output).toMatch(/\*\*Sluice on uWebSockets\.js failed:\*\* expected .*ended with SIGKILL/);
    expect(output).toMatch(/\| uWebSockets\.js and jose by hand \| \d/);
    expect([...children.values()].filter(isAlive)).toEqual([]);
  });

  test("what a run has measured is kept when it ends before its time", async () => {
    const folder = await temporaryFolder();
    const only = "handshake,echo,json,binary,group,groups,me,events,storm";
    const run = bench("--only", only, "--against", "none", "--units", "20", "--rounds", "1", "--out", folder);
    const kept = async () => readReport(await readFile(join(folder, "results.json"), "utf8"), "results.json").rows;
    await expect
      .poll(async () => (await kept())[0], { interval: 20 })
      .toMatchObject({ name: "handshake", failures: [] });
    run.process.kill("SIGTERM");
    expect((await run.ended).code).toBe(143);
    expect((await kept()).length).toBeLessThan(9);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends all of them", async (signal, expected) => {
    const { run, children } = await underWay(...long);
    run.process.kill(signal);
    expect((await run.ended).code).toBe(expected);
    expect([...children.values()].filter(isAlive)).toEqual([]);
  });

  test("none of them outlives a run that is killed", async () => {
    const { run, children } = await underWay(...long);
    run.process.kill("SIGKILL");
    await run.ended;
    await expect.poll(() => [...children.values()].filter(isAlive), { timeout: 10_000 }).toEqual([]);
  });
});
