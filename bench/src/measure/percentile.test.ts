import { expect, test } from "vitest";
import { percentile, spreadOf } from "./percentile.js";

const hundred = Array.from({ length: 100 }, (_, index) => index + 1);

test.each([
  [0, 1],
  [0.5, 50],
  [0.501, 51],
  [0.99, 99],
  [1, 100],
])("the %d of a hundred is one of them", (share, value) => {
  expect(percentile(hundred, share)).toBe(value);
});

test("a spread does not depend on the order", () => {
  expect(spreadOf([3, 1.234, 2])).toEqual({ p50: 2, p99: 3, highest: 3 });
  expect(spreadOf([...hundred].reverse())).toEqual({ p50: 50, p99: 99, highest: 100 });
  expect(spreadOf([])).toBeUndefined();
});
