import { expect, test } from "vitest";
import { readArguments } from "./arguments.js";

test("what is left out has a default", () => {
  expect(readArguments([])).toEqual({
    minutes: 10,
    transport: "uws",
    connections: 10_000,
    seed: 1,
    leak: undefined,
  });
});

test("what is given is taken", () => {
  const given = ["--minutes", "0.5", "--transport", "node", "--connections", "20", "--seed", "0", "--leak", "scopes"];
  expect(readArguments(given)).toEqual({ minutes: 0.5, transport: "node", connections: 20, seed: 0, leak: "scopes" });
});

test.each([
  [["--minutes", "0"], "expected --minutes to be from 0.05 to 1440, got 0"],
  [["--minutes", "long"], "expected --minutes to be from 0.05 to 1440, got long"],
  [["--connections", "10.5"], "expected --connections to be a whole number, got 10.5"],
  [["--seed", "-1"], "argument is ambiguous"],
  [["--transport", "toString"], "expected --transport uws or node, got toString"],
  [["--leak", "gas"], "expected --leak members or scopes, got gas"],
  [["--speed", "1"], "Unknown option '--speed'"],
])("%j is refused", (given, message) => {
  expect(() => readArguments(given)).toThrow(message);
});
