import type { HeaderList } from "@sluice/core";
import { expect, it } from "vitest";
import { hasAmbiguousLength } from "./request-head.js";

const length = (value: string): HeaderList[number] => ["content-length", value];
const other = ["x-length", "7"] as const;

it.each<[string, HeaderList, boolean]>([
  ["none", [other], false],
  ["one", [length("5"), other], false],
  ["the same again", [length("5"), other, length("5"), length("5")], false],
  ["another one", [length("5"), other, length("6")], true],
  ["the same again, and another one", [length("5"), length("5"), length("6")], true],
  ["an empty one and another", [length(""), length("6")], true],
])("finds that lengths contradict each other: %s", (_, headers, expected) => {
  expect(hasAmbiguousLength(headers)).toBe(expected);
});
