import { expect, test } from "vitest";
import { readArguments } from "./arguments.js";

test("what is left out has a default", () => {
  expect(readArguments([])).toEqual({
    layers: ["redis", "postgres"],
    url: undefined,
    deliveries: 100_000,
    sockets: 600,
    groups: 20,
    servers: 3,
    rate: 300,
    transport: "node",
    kill: false,
    freeze: false,
  });
});

test("what is given is taken", () => {
  const sizes = ["--deliveries", "2000", "--sockets", "40", "--groups", "4", "--servers", "2", "--rate", "50"];
  expect(readArguments(["--layer", "redis", ...sizes, "--transport", "uws", "--kill", "--freeze"])).toEqual({
    layers: ["redis"],
    url: undefined,
    deliveries: 2_000,
    sockets: 40,
    groups: 4,
    servers: 2,
    rate: 50,
    transport: "uws",
    kill: true,
    freeze: true,
  });
  expect(readArguments(["--layer", "postgres", "--url", "postgres://h/d"])).toMatchObject({ url: "postgres://h/d" });
});

test.each([
  [["--layer", "toString"], "expected --layer redis or postgres, got toString"],
  [["--transport", "pigeon"], "expected --transport uws or node, got pigeon"],
  [["--url", "redis://h"], "expected --layer with --url"],
  [["--layer", "redis", "--url", "redis://h", "--kill"], "expected no --url with --kill and --freeze"],
  [["--layer", "redis", "--url", "redis://h", "--freeze"], "expected no --url with --kill and --freeze"],
  [["--sockets", "601"], "expected --sockets to be a multiple of 20 groups x 3 servers, got 601"],
  [["--deliveries", "0"], "expected --deliveries to be a whole number from 1 to 10000000, got 0"],
  [["--servers", "1"], "expected --servers to be a whole number from 2 to 16, got 1"],
  [["--rate", "2.5"], "expected --rate to be a whole number from 1 to 5000, got 2.5"],
  [["--speed", "1"], "Unknown option '--speed'"],
])("%j is refused", (given, message) => {
  expect(() => readArguments(given)).toThrow(message);
});
