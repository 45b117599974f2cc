import type { Round, Sample } from "./rounds.js";
import { type Spread, spreadOf } from "./spread.js";

/** What one unit costs the server, over the rounds; undefined for a contestant that has no sample. */
export function costPerUnit(rounds: readonly Round[], contestant: string): Spread | undefined {
  return spreadOver(rounds, (round) => perUnit(round[contestant]));
}

/** Units per second on the clock, over the rounds. */
export function throughput(rounds: readonly Round[], contestant: string): Spread | undefined {
  return spreadOver(rounds, (round) => {
    const sample = round[contestant];
    return sample && (sample.units / sample.elapsed) * 1_000;
  });
}

/**
 * What a unit costs one contestant, in what it costs another one. A ratio is taken within each round: two rounds may differ
 * by more than two contestants do. Undefined where one of them has no sample.
 */
export function costRatio(rounds: readonly Round[], contestant: string, other: string): Spread | undefined {
  return spreadOver(rounds, (round) => quotient(perUnit(round[contestant]), perUnit(round[other])));
}

/** What a unit costs a contestant in some rounds, in what it costs it in others: the first by the first, and so on. */
export function costGrowth(rounds: readonly Round[], others: readonly Round[], contestant: string): Spread | undefined {
  const together = rounds.map((round, index) => ({ ours: round[contestant], theirs: others[index]?.[contestant] }));
  return spreadOver(together, ({ ours, theirs }) => quotient(perUnit(ours), perUnit(theirs)));
}

/** How many WebSockets one contestant closed unasked, in all rounds together. */
export function lossesOf(rounds: readonly Round[], contestant: string): number {
  return rounds.reduce((sum, round) => sum + (round[contestant]?.lost ?? 0), 0);
}

/** Some number of one contestant's samples, over the rounds that have it. */
export function spreadOfSamples(
  rounds: readonly Round[],
  contestant: string,
  pick: (sample: Sample) => number | undefined,
): Spread | undefined {
  return spreadOver(rounds, (round) => round[contestant] && pick(round[contestant]));
}

function perUnit(sample: Sample | undefined): number | undefined {
  return sample && sample.cost / sample.units;
}

function quotient(ours: number | undefined, theirs: number | undefined): number | undefined {
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}

function spreadOver<Item>(rounds: readonly Item[], pick: (round: Item) => number | undefined): Spread | undefined {
  const values = rounds.flatMap((round) => {
    const value = pick(round);
    return value !== undefined && Number.isFinite(value) ? [value] : [];
  });
  return values.length === 0 ? undefined : spreadOf(values);
}
