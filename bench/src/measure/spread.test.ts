import { expect, test } from "vitest";
import { spreadOf } from "./spread.js";

test("the median of an odd number of values is the one in the middle, in whatever order they come", () => {
  expect(spreadOf([9, 1, 5])).toEqual({ median: 5, lowest: 1, highest: 9 });
});

test("the median of an even number of values lies between the two in the middle", () => {
  expect(spreadOf([4, 1, 10, 2])).toEqual({ median: 3, lowest: 1, highest: 10 });
});

test("one value is its own spread", () => {
  expect(spreadOf([7])).toEqual({ median: 7, lowest: 7, highest: 7 });
});

test("numbers are compared as numbers and the list stays as it was", () => {
  const values = [100, 9, 20];
  expect(spreadOf(values).median).toBe(20);
  expect(values).toEqual([100, 9, 20]);
});

test.each([[[]], [[1, Number.NaN]], [[Number.POSITIVE_INFINITY, 2]]])("%j has no spread", (values) => {
  expect(() => spreadOf(values)).toThrow(TypeError);
});
