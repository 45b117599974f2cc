import { expect, test } from "vitest";
import { affordable } from "./affordable.js";

test.each([
  ["who is fast enough does all that is wanted", 1_000, { units: 100, elapsed: 50 }, 1_000],
  ["who is not does what fits into the time", 1_000, { units: 100, elapsed: 200 }, 500],
  ["nobody does less than one unit", 1_000, { units: 1, elapsed: 90_000 }, 1],
  ["a trial that took no time says nothing against it", 1_000, { units: 100, elapsed: 0 }, 1_000],
])("%s", (_, wanted, trial, expected) => {
  expect(affordable(wanted, trial, 1_000)).toBe(expected);
});
