import { expect, test } from "vitest";
import { echo } from "./rows/echoes.js";
import { growthOfMessages } from "./rows/growth.js";
import { tooFewFiles } from "./too-few-files.js";

const rows = [echo, growthOfMessages];

test("a limit that is too low is said, with what to do about it", () => {
  expect(tooFewFiles({ rows, units: undefined }, 4_096)).toBe(
    "expected a limit of at least 17500 open files, got 4096: raise it (ulimit -n 17500), " +
      "or leave out (--only) what has so many connections: growth-message",
  );
});

test("a limit that is high enough, or that nobody knows, is not in the way", () => {
  expect(tooFewFiles({ rows, units: undefined }, 17_500)).toBeUndefined();
  expect(tooFewFiles({ rows, units: undefined }, undefined)).toBeUndefined();
  expect(tooFewFiles({ rows: [echo], units: undefined }, 4_096)).toBeUndefined();
  expect(tooFewFiles({ rows, units: 300 }, 4_096)).toBeUndefined();
});
