import { expect, test } from "vitest";
import { readArguments } from "./arguments.js";

test("what is left out has a default", () => {
  expect(readArguments([])).toEqual({
    layers: ["redis", "postgres"],
    url: undefined,
    sockets: 300,
    servers: 3,
    rate: 20,
    bound: 250,
    transport: "node",
  });
});

test("what is given is taken", () => {
  const sizes = ["--sockets", "40", "--servers", "2", "--rate", "50", "--bound", "900"];
  expect(readArguments(["--layer", "postgres", "--url", "postgres://h/d", ...sizes, "--transport", "uws"])).toEqual({
    layers: ["postgres"],
    url: "postgres://h/d",
    sockets: 40,
    servers: 2,
    rate: 50,
    bound: 900,
    transport: "uws",
  });
});

test.each([
  [["--layer", "toString"], "expected --layer redis or postgres, got toString"],
  [["--transport", "pigeon"], "expected --transport uws or node, got pigeon"],
  [["--url", "redis://h"], "expected --layer with --url"],
  [["--sockets", "301"], "expected --sockets to be a multiple of 3 servers, got 301"],
  [["--servers", "1"], "expected --servers to be a whole number from 2 to 16, got 1"],
  [["--rate", "2.5"], "expected --rate to be a whole number from 1 to 1000, got 2.5"],
  [["--bound", "5001"], "expected --bound to be a whole number from 1 to 5000, got 5001"],
  [["--kill"], "Unknown option '--kill'"],
])("%j is refused", (given, message) => {
  expect(() => readArguments(given)).toThrow(message);
});
