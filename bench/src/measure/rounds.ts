/** What one contestant did in one round. */
export interface Sample {
  /** Handshakes, messages, deliveries: what the row counts. */
  readonly units: number;
  /** Of the server process, for all units together: microseconds of the processor, or bytes of memory. */
  readonly cost: number;
  /** On the clock, in milliseconds. */
  readonly elapsed: number;
  /** WebSockets that the server closed unasked. */
  readonly lost: number;
  /** From 0 to 1: how many of the messages that were due have come, where not all of them can. */
  readonly share?: number;
}

/** A sample per contestant, by name. */
export type Round = Readonly<Record<string, Sample>>;

export interface RoundsOptions {
  /** Rounds that are played first and thrown away. */
  readonly warmUp: number;
  readonly rounds: number;
}

export interface Played<Contestant> {
  readonly rounds: readonly Round[];
  readonly failures: readonly { readonly contestant: Contestant; readonly error: unknown }[];
}

/**
 * Lets the contestants take turns, so that what disturbs the machine for a while disturbs all of them. `round` is 0 in the
 * first one to warm up. Who fails takes no more turns, and has no sample in any round.
 */
export async function playRounds<Contestant extends { readonly name: string }>(
  contestants: readonly Contestant[],
  { warmUp, rounds }: RoundsOptions,
  take: (contestant: Contestant, round: number) => Promise<Sample>,
): Promise<Played<Contestant>> {
  const samples = new Map(contestants.map((contestant) => [contestant, [] as Sample[]]));
  const failures: Played<Contestant>["failures"][number][] = [];
  for (let round = 0; round < warmUp + rounds; round++) {
    for (const [contestant, taken] of samples) {
      try {
        taken.push(await take(contestant, round));
      } catch (error) {
        samples.delete(contestant);
        failures.push({ contestant, error });
      }
    }
  }
  const counted = Array.from({ length: rounds }, (_, index) => warmUp + index);
  const roundOf = (index: number): Round =>
    Object.fromEntries(
      [...samples].flatMap(([{ name }, taken]) => taken.slice(index, index + 1).map((one) => [name, one])),
    );
  return { rounds: counted.map(roundOf), failures };
}
