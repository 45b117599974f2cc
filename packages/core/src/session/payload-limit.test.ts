import { expect, it } from "vitest";
import { payloadLimit } from "./payload-limit.js";

it.each([
  [1, 2],
  [64 * 1024, 128 * 1024],
  [1024 * 1024, 2 * 1024 * 1024],
  [10 * 1024 * 1024, 11 * 1024 * 1024],
])("leaves room above %i", (maxMessageSize, expected) => {
  expect(payloadLimit({ maxMessageSize })).toBe(expected);
});
