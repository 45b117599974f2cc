import { expect, test } from "vitest";
import { readArguments } from "./arguments.js";

test("without arguments everything is measured, in more than the five rounds a figure needs", () => {
  const options = readArguments([]);
  expect(options).toMatchObject({ measures: ["handshake", "reconnect", "echo"], units: undefined, json: undefined });
  expect(options.rounds).toBeGreaterThanOrEqual(5);
});

test("every argument is read", () => {
  const given = ["--only", "echo,handshake", "--rounds", "5", "--units=300", "--json", "out.json"];
  expect(readArguments(given)).toEqual({ measures: ["echo", "handshake"], rounds: 5, units: 300, json: "out.json" });
});

test.each([
  [["--only", "echo,ping"], "expected --only of handshake and reconnect and echo, got ping"],
  [["--only", ""], "expected --only of handshake and reconnect and echo, got "],
  [["--rounds", "0"], "expected --rounds to be a whole number from 1 to 100, got 0"],
  [["--rounds", "1.5"], "expected --rounds to be a whole number from 1 to 100, got 1.5"],
  [["--rounds", ""], "expected --rounds to be a whole number from 1 to 100, got "],
  [["--units", "10001"], "expected --units to be a whole number from 1 to 10000, got 10001"],
  [["--fast"], "Unknown option '--fast'"],
  [["echo"], "Unexpected argument 'echo'"],
])("%j is refused", (given, message) => {
  expect(() => readArguments(given)).toThrow(message);
});
