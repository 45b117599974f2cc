import { parseArgs } from "node:util";
import { isMeasure, type MeasureName, measures } from "./measure/measures.js";

export interface Options {
  readonly measures: readonly MeasureName[];
  readonly rounds: number;
  /** Per round and contestant, in place of each measure's own number. */
  readonly units: number | undefined;
  /** Where the results go as JSON. */
  readonly json: string | undefined;
}

const names = Object.keys(measures).filter(isMeasure);

export const usage: string = `usage: npm run bench -- [options]
  --only ${names.join(",")}   what to measure; everything if left out
  --rounds 9                rounds after the warm-up, 1 to 100; below 5 the figures say little
  --units 1000              units per round and server, 1 to 10000, for a quick look
  --json out.json           writes every sample as well`;

/** Throws a `TypeError` for arguments that it does not know or cannot use. */
export function readArguments(given: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...given],
    options: {
      only: { type: "string", default: names.join(",") },
      rounds: { type: "string", default: "9" },
      units: { type: "string" },
      json: { type: "string" },
    },
  });
  return {
    measures: values.only.split(",").map((name) => {
      if (!isMeasure(name)) throw new TypeError(`expected --only of ${names.join(" and ")}, got ${name}`);
      return name;
    }),
    rounds: wholeNumber("--rounds", values.rounds, 100),
    units: values.units === undefined ? undefined : wholeNumber("--units", values.units, 10_000),
    json: values.json,
  };
}

function wholeNumber(option: string, text: string, highest: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > highest) {
    throw new TypeError(`expected ${option} to be a whole number from 1 to ${highest}, got ${text}`);
  }
  return number;
}
