/** What one contestant did in one round. */
export interface Sample {
  /** Handshakes, messages: what the measure counts. */
  readonly units: number;
  /** Of the server process, in microseconds. */
  readonly cpu: number;
  /** On the clock, in milliseconds. */
  readonly elapsed: number;
  /** WebSockets that the server closed unasked. */
  readonly lost: number;
}

/** A sample per contestant, by name. */
export type Round = Readonly<Record<string, Sample>>;

export interface RoundsOptions {
  /** Rounds that are played first and thrown away. */
  readonly warmUp: number;
  readonly rounds: number;
}

/** Lets the contestants take turns, so that what disturbs the machine for a while disturbs all of them. */
export async function playRounds<Contestant extends { readonly name: string }>(
  contestants: readonly Contestant[],
  { warmUp, rounds }: RoundsOptions,
  take: (contestant: Contestant) => Promise<Sample>,
): Promise<Round[]> {
  const played: Round[] = [];
  for (let number = 0; number < warmUp + rounds; number++) {
    const samples: [string, Sample][] = [];
    for (const contestant of contestants) samples.push([contestant.name, await take(contestant)]);
    if (number >= warmUp) played.push(Object.fromEntries(samples));
  }
  return played;
}
