import { expect, test } from "vitest";
import { cpuPerUnit, cpuRatio, lossesOf, throughput } from "./figures.js";
import type { Round, Sample } from "./rounds.js";

function sample(units: number, cpu: number, elapsed = 1, lost = 0): Sample {
  return { units, cpu, elapsed, lost };
}

/** The machine gets slower from round to round, and one of the contestants with it. */
const rounds: readonly Round[] = [
  { ours: sample(100, 120), control: sample(200, 200) },
  { ours: sample(100, 260), control: sample(200, 400) },
  { ours: sample(100, 500), control: sample(200, 800) },
];

test("the ratio is the median of the ratios within the rounds, not the ratio of the medians", () => {
  expect(cpuRatio(rounds, "ours", "control")).toEqual({ median: 1.25, lowest: 1.2, highest: 1.3 });
  expect(cpuPerUnit(rounds, "ours").median / cpuPerUnit(rounds, "control").median).toBeCloseTo(1.3);
});

test("CPU time is given per unit, in microseconds", () => {
  expect(cpuPerUnit(rounds, "control")).toEqual({ median: 2, lowest: 1, highest: 4 });
});

test("throughput is units per second of the clock", () => {
  const timed = [{ ours: sample(300, 1, 150) }];
  expect(throughput(timed, "ours").median).toBe(2_000);
});

test("losses add up over the rounds", () => {
  expect(lossesOf([{ ours: sample(1, 1, 1, 2) }, { ours: sample(1, 1, 1, 1) }], "ours")).toBe(3);
});

test("a contestant without a sample in a round has no figure", () => {
  expect(() => cpuRatio([{ ours: sample(1, 1) }], "ours", "control")).toThrow(
    "expected a sample of control in every round",
  );
});

test("a control that took no time has no ratio", () => {
  expect(() => cpuRatio([{ ours: sample(1, 1), control: sample(1, 0) }], "ours", "control")).toThrow(TypeError);
});
