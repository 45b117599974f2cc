import type { Round, Sample } from "./rounds.js";
import { type Spread, spreadOf } from "./spread.js";

/** Microseconds of the server's processor time per unit, over the rounds. */
export function cpuPerUnit(rounds: readonly Round[], contestant: string): Spread {
  return spreadOf(rounds.map((round) => perUnit(sampleOf(round, contestant))));
}

/** Units per second on the clock, over the rounds. */
export function throughput(rounds: readonly Round[], contestant: string): Spread {
  return spreadOf(
    rounds.map((round) => {
      const { units, elapsed } = sampleOf(round, contestant);
      return (units / elapsed) * 1_000;
    }),
  );
}

/**
 * The processor time per unit of one contestant, in that of another one. A ratio is taken within each round: two rounds
 * may differ by more than two contestants do.
 */
export function cpuRatio(rounds: readonly Round[], contestant: string, control: string): Spread {
  return spreadOf(rounds.map((round) => perUnit(sampleOf(round, contestant)) / perUnit(sampleOf(round, control))));
}

/** How many WebSockets one contestant closed unasked, in all rounds together. */
export function lossesOf(rounds: readonly Round[], contestant: string): number {
  return rounds.reduce((sum, round) => sum + sampleOf(round, contestant).lost, 0);
}

function perUnit({ cpu, units }: Sample): number {
  return cpu / units;
}

function sampleOf(round: Round, contestant: string): Sample {
  const sample = round[contestant];
  if (sample === undefined) throw new TypeError(`expected a sample of ${contestant} in every round`);
  return sample;
}
