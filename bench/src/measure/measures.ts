/** What is measured. */
export interface Measure {
  /** For the report. */
  readonly title: string;
  /** In one round, for each contestant: some tenths of a second's work. */
  readonly unitsPerRound: number;
}

export const measures = {
  handshake: { title: "authenticated handshake", unitsPerRound: 2_000 },
  reconnect: { title: "handshake with a token seen before", unitsPerRound: 2_000 },
  echo: { title: "text echo, 66 bytes", unitsPerRound: 200_000 },
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof measures;

export function isMeasure(name: string): name is MeasureName {
  return Object.hasOwn(measures, name);
}
