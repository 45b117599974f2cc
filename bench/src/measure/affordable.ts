/** What a trial of a few units took, in milliseconds. */
export interface Trial {
  readonly units: number;
  readonly elapsed: number;
}

/** How many units a round may do so that it takes no longer than `budget` milliseconds: as many as wanted, fewer of a slow server. */
export function affordable(wanted: number, { units, elapsed }: Trial, budget: number): number {
  return Math.max(1, Math.min(wanted, Math.floor((units * budget) / Math.max(elapsed, 1))));
}
