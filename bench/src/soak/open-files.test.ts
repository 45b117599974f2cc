import { expect, test } from "vitest";
import { openFilesLimit, tooFewOpenFiles } from "./open-files.js";

test("the limit of this process is known where the system has one", () => {
  const limit = openFilesLimit();
  if (process.platform === "win32") expect(limit).toBeUndefined();
  else expect(limit ?? Number.POSITIVE_INFINITY).toBeGreaterThan(0);
});

test("a limit that is too low is named, with what would do", () => {
  expect(tooFewOpenFiles(10_000, 1024)).toBe(
    "expected a limit of at least 10200 open files for 10000 connections, got 1024: raise it (ulimit -n), or ask for fewer (--connections 824)",
  );
});

test("one that is enough is not, nor one that nobody knows", () => {
  expect(tooFewOpenFiles(10_000, 10_200)).toBeUndefined();
  expect(tooFewOpenFiles(10_000, undefined)).toBeUndefined();
});
