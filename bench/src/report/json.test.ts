import { expect, test } from "vitest";
import { jsonReport, readReport } from "./json.js";
import { record } from "./test-record.js";

test("as JSON there is every sample, to be read again", () => {
  expect(readReport(jsonReport(record), "a.json")).toEqual(record);
});

test.each([
  ["{", /^expected the JSON of a run in a\.json, got /],
  ["null", "expected the JSON of a run in a.json, got something without rows or contestants"],
  ['{"rows":[]}', "expected the JSON of a run in a.json, got something without rows or contestants"],
])("%s is refused", (text, message) => {
  expect(() => readReport(text, "a.json")).toThrow(message);
});
