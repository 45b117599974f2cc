import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import type { TestModule, TestSpecification, Vitest } from "vitest/node";
import { CapabilityReporter, type CapabilityReporterOptions } from "./capability-reporter.js";
import { begin, end } from "./capability-table.js";

const folder = mkdtempSync(join(tmpdir(), "sluice-"));
const document = join(folder, "transports.md");
const empty = `${begin}\n${end}\n`;
const exitCode = process.exitCode;
beforeEach(() => writeFileSync(document, empty));
afterEach(() => {
  process.exitCode = exitCode;
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Two files with tests, of which the first tells of a capability. */
const files = [{ moduleId: "one" }, { moduleId: "two" }] as TestSpecification[];
const module = (state: "passed" | "failed"): TestModule => {
  const transportCapability = { transport: "transport-x", capability: "flies", words: "flies" };
  const tests = [
    { meta: () => ({ transportCapability }), result: () => ({ state }) },
    { meta: () => ({}), result: () => ({ state: "passed" }) },
  ];
  return { children: { allTests: () => tests } } as unknown as TestModule;
};

interface Run extends CapabilityReporterOptions {
  readonly ran?: TestSpecification[];
  readonly testNamePattern?: RegExp;
  readonly state?: "passed" | "failed";
}

/** What the document says after a run, and what was printed. */
async function run({ ran = files, testNamePattern, state = "passed", ...options }: Run) {
  const logger = { log: vi.fn(), error: vi.fn() };
  const reporter = new CapabilityReporter({ document, compare: false, node: "20.19.0", ...options });
  reporter.onInit({
    globTestSpecifications: async () => files,
    config: { testNamePattern },
    logger,
  } as unknown as Vitest);
  await reporter.onTestRunStart(ran);
  reporter.onTestRunEnd([module(state)]);
  return { text: readFileSync(document, "utf8"), ...logger };
}

it("writes the table after a run of everything", async () => {
  const { text, log } = await run({});
  expect(text).toContain("| flies | yes |");
  expect(log).toHaveBeenCalledOnce();
  expect((await run({})).log).not.toHaveBeenCalled();
});

it("fails a run on CI that the table does not fit, and leaves the table", async () => {
  const { text, error } = await run({ compare: true });
  expect(text).toBe(empty);
  expect(process.exitCode).toBe(1);
  expect(error.mock.calls[0]?.[0]).toContain("| flies | yes |");
});

it("lets a run on CI pass that the table fits", async () => {
  await run({});
  await run({ compare: true });
  expect(process.exitCode).toBe(exitCode);
});

it.each<[string, Run]>([
  ["of some files", { ran: files.slice(1) }],
  ["of some names", { testNamePattern: /flies/ }],
  ["of some lines", { ran: files.map((file) => ({ ...file, testLines: [1] }) as TestSpecification) }],
  ["with a failure", { state: "failed" }],
  ["on another Node", { node: "22.12.0" }],
])("leaves the table alone after a run %s", async (_what, options) => {
  expect((await run(options)).text).toBe(empty);
  expect((await run({ ...options, compare: true })).error).not.toHaveBeenCalled();
  expect(process.exitCode).toBe(exitCode);
});

it("leaves the table alone where a transport of the table did not run", async () => {
  const before = `${begin}\n\n| a transport that | transport-x | transport-y |\n\n${end}\n`;
  writeFileSync(document, before);
  expect((await run({})).text).toBe(before);
});
