/** What some values amount to. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Throws a `TypeError` for no values, and for one that is not a finite number. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [lowest] = sorted;
  const highest = sorted.at(-1);
  if (lowest === undefined || highest === undefined || !sorted.every(Number.isFinite)) {
    throw new TypeError(`expected one or more finite numbers, got [${values.join(", ")}]`);
  }
  const upper = sorted[Math.floor(sorted.length / 2)] ?? highest;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? lowest;
  return { median: (lower + upper) / 2, lowest, highest };
}
