import { expect, test } from "vitest";
import { Random } from "./random.js";

const some = (seed: number): unknown[] => {
  const random = new Random(seed);
  return [random.below(1_000), random.around(10), random.pick({ a: 1, b: 1, c: 1 }), random.bytes(4).toString("hex")];
};

test("a seed gives the same again, and another one something else", () => {
  expect(some(7)).toEqual(some(7));
  expect(some(8)).not.toEqual(some(7));
});

test("each key is picked by its share", () => {
  const random = new Random(1);
  const picked = Array.from({ length: 1_000 }, () => random.pick({ never: 0, seldom: 1, often: 9 }));
  expect(picked).not.toContain("never");
  const often = picked.filter((key) => key === "often").length;
  expect(often).toBeGreaterThan(850);
  expect(often).toBeLessThan(950);
});

test("figures stay in their range", () => {
  const random = new Random(1);
  const around = Array.from({ length: 1_000 }, () => random.around(10));
  expect(Math.min(...around)).toBeGreaterThanOrEqual(1);
  expect(Math.max(...around)).toBeLessThanOrEqual(19);
  expect(new Set(Array.from({ length: 200 }, () => random.below(3)))).toEqual(new Set([0, 1, 2]));
});
