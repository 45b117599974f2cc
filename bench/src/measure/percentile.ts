/** The smallest value that at least `share` of all values do not exceed: a value that was measured, not one in between. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? Number.NaN;
}

/** What a report says about many durations: milliseconds, to the hundredth. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly highest: number;
}

/** Undefined of nothing. */
export function spreadOf(durations: Iterable<number>): Spread | undefined {
  const sorted = Float64Array.from(durations).sort();
  if (sorted.length === 0) return undefined;
  const [p50, p99, highest] = [0.5, 0.99, 1].map((share) => rounded(percentile(sorted, share)));
  return { p50, p99, highest } as Spread;
}

export function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
