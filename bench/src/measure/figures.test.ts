import { expect, test } from "vitest";
import { costGrowth, costPerUnit, costRatio, lossesOf, spreadOfSamples, throughput } from "./figures.js";
import type { Round, Sample } from "./rounds.js";

function sample(units: number, cost: number, elapsed = 1, lost = 0): Sample {
  return { units, cost, elapsed, lost };
}

/** The machine gets slower from round to round, and one of the contestants with it. */
const rounds: readonly Round[] = [
  { ours: sample(100, 120), control: sample(200, 200) },
  { ours: sample(100, 260), control: sample(200, 400) },
  { ours: sample(100, 500), control: sample(200, 800) },
];

test("the ratio is the median of the ratios within the rounds, not the ratio of the medians", () => {
  expect(costRatio(rounds, "ours", "control")).toEqual({ median: 1.25, lowest: 1.2, highest: 1.3 });
  const [ours, control] = [costPerUnit(rounds, "ours"), costPerUnit(rounds, "control")];
  expect((ours?.median ?? 0) / (control?.median ?? 0)).toBeCloseTo(1.3);
});

test("so is growth: the ratio of rounds that were played together", () => {
  const among = [{ ours: sample(100, 240) }, { ours: sample(100, 390) }, { ours: sample(100, 500) }];
  expect(costGrowth(among, rounds, "ours")).toEqual({ median: 1.5, lowest: 1, highest: 2 });
  expect(costGrowth(among, [{}], "ours")).toBeUndefined();
});

test("a cost is given per unit", () => {
  expect(costPerUnit(rounds, "control")).toEqual({ median: 2, lowest: 1, highest: 4 });
});

test("throughput is units per second of the clock", () => {
  const timed = [{ ours: sample(300, 1, 150) }];
  expect(throughput(timed, "ours")?.median).toBe(2_000);
});

test("losses add up over the rounds", () => {
  expect(lossesOf([{ ours: sample(1, 1, 1, 2) }, { ours: sample(1, 1, 1, 1) }], "ours")).toBe(3);
});

test("any number of the samples has a spread", () => {
  expect(spreadOfSamples(rounds, "ours", ({ cost }) => cost)).toEqual({ median: 260, lowest: 120, highest: 500 });
  expect(spreadOfSamples(rounds, "ours", ({ share }) => share)).toBeUndefined();
});

test("a contestant without samples has no figure, and nobody has a ratio to it", () => {
  const alone = [{ ours: sample(1, 1) }];
  expect(costPerUnit(alone, "control")).toBeUndefined();
  expect(throughput(alone, "control")).toBeUndefined();
  expect(costRatio(alone, "ours", "control")).toBeUndefined();
});

test("a control that took no time has no ratio", () => {
  expect(costRatio([{ ours: sample(1, 1), control: sample(1, 0) }], "ours", "control")).toBeUndefined();
});
