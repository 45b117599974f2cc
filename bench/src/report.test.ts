import { expect, test } from "vitest";
import type { Result } from "./benchmark.js";
import type { Sample } from "./measure/rounds.js";
import { jsonReport, markdownReport } from "./report.js";
import type { Contestant } from "./servers/contestants.js";

const module = new URL("file:///server.js");
const contestants: readonly Contestant[] = [
  { name: "ours", title: "Ours", module, control: "control" },
  { name: "control", title: "By hand", module },
];
const environment = { node: "20.20.2", uWebSockets: "20.0.8", jose: "6.2.17", machine: "a machine" };

function sample(cpu: number, lost = 0): Sample {
  return { units: 100, cpu, elapsed: 50, lost };
}

const results: readonly Result[] = [
  {
    measure: "handshake",
    rounds: [
      { ours: sample(11_000), control: sample(10_000) },
      { ours: sample(12_000, 1), control: sample(10_000) },
      { ours: sample(15_000), control: sample(10_000) },
    ],
  },
];

test("a row per contestant, with the ratio to its control and the spread of that", () => {
  expect(markdownReport(results, contestants, environment).split("\n")).toEqual([
    expect.stringContaining("| measure | server | server CPU / control | lowest to highest round |"),
    "| --- | --- | --- | --- | --- | --- | --- |",
    "| authenticated handshake | Ours | **1.20** | 1.10 to 1.50 | 120 us | 8,333 | 2,000 |",
    "| authenticated handshake | By hand | 1 |  | 100 us | 10,000 | 2,000 |",
    "",
    "Medians of 3 rounds. Node 20.20.2, uWebSockets.js 20.0.8, jose 6.2.17, on a machine.",
    "WebSockets that a server closed by itself after its 101: 1. The README says why.",
    "",
  ]);
});

test("nothing is said of losses where there were none", () => {
  const [result] = results;
  const clean = [{ measure: "echo" as const, rounds: result?.rounds.slice(0, 1) ?? [] }];
  expect(markdownReport(clean, contestants, environment)).not.toContain("closed by itself");
});

test("as JSON there is every sample", () => {
  expect(JSON.parse(jsonReport(results, contestants, environment))).toEqual({
    environment,
    results: [
      {
        measure: "handshake",
        contestants: [
          {
            name: "ours",
            control: "control",
            cpuRatio: { median: 1.2, lowest: 1.1, highest: 1.5 },
            cpuMicrosecondsPerUnit: { median: 120, lowest: 110, highest: 150 },
            unitsPerSecond: { median: 2_000, lowest: 2_000, highest: 2_000 },
            lost: 1,
          },
          {
            name: "control",
            cpuMicrosecondsPerUnit: { median: 100, lowest: 100, highest: 100 },
            unitsPerSecond: { median: 2_000, lowest: 2_000, highest: 2_000 },
            lost: 0,
          },
        ],
        rounds: results[0]?.rounds,
      },
    ],
  });
});
