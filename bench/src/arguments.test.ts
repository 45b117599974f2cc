import { expect, test } from "vitest";
import { type RunOptions, readArguments } from "./arguments.js";
import { rows } from "./rows/rows.js";
import { contestants } from "./servers/contestants.js";

/** The names of what a run is to measure, and of whom. */
function asked(...given: string[]): { readonly rows: readonly string[]; readonly contestants: readonly string[] } {
  const options = readArguments(given) as RunOptions;
  return { rows: options.rows.map(({ name }) => name), contestants: options.contestants.map(({ name }) => name) };
}

test("without arguments it is a look at everything", () => {
  expect(readArguments([])).toEqual({
    command: "run",
    rows,
    contestants,
    pace: "quick",
    rounds: undefined,
    units: undefined,
    out: "bench-results",
    json: undefined,
    url: undefined,
  });
});

test("every argument is read", () => {
  const given = [
    "--full",
    "--rounds",
    "5",
    "--units=300",
    "--out",
    "there",
    "--json",
    "out.json",
    "--url",
    "postgres://a",
  ];
  expect(readArguments(given)).toMatchObject({
    pace: "full",
    rounds: 5,
    units: 300,
    out: "there",
    json: "out.json",
    url: "postgres://a",
  });
});

test("rows are chosen by their names", () => {
  expect(asked("--only", "echo,handshake").rows).toEqual(["echo", "handshake"]);
});

test("peers are chosen by their names or their family's, and ours and the controls always take part", () => {
  const always = ["sluice-uws", "control-uws", "sluice-node", "control-ws"];
  expect(asked("--against", "none").contestants).toEqual(always);
  expect(asked("--against", "channels,socketio").contestants).toEqual([
    ...always,
    "socketio",
    "channels-uvicorn",
    "channels-daphne",
  ]);
});

test("help is asked for by its name", () => {
  expect(readArguments(["--help"])).toEqual({ command: "help" });
});

test("two runs are compared by their files", () => {
  expect(readArguments(["--compare", "a.json", "b.json"])).toEqual({
    command: "compare",
    before: "a.json",
    after: "b.json",
  });
});

test.each([
  [["--only", "echo,ping"], /^expected --only of handshake and reconnect and .*, got ping$/],
  [["--only", ""], /^expected --only of .*, got $/],
  [["--against", "sluice-uws"], /^expected --against none or of socketio and .*, got sluice-uws$/],
  [["--rounds", "0"], "expected --rounds to be a whole number from 1 to 100, got 0"],
  [["--rounds", "1.5"], "expected --rounds to be a whole number from 1 to 100, got 1.5"],
  [["--rounds", ""], "expected --rounds to be a whole number from 1 to 100, got "],
  [["--units", "1000001"], "expected --units to be a whole number from 1 to 1000000, got 1000001"],
  [["--compare", "a.json"], "expected --compare and the names of two files"],
  [["--compare", "a.json", "b.json", "c.json"], "expected --compare and the names of two files"],
  [["--fast"], "Unknown option '--fast'"],
  [["echo"], "Unexpected argument 'echo'"],
])("%j is refused", (given, message) => {
  expect(() => readArguments(given)).toThrow(message);
});
