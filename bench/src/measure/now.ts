/**
 * Milliseconds of the clock that all processes of a machine share and nobody sets (CLOCK_MONOTONIC), to the microsecond: so
 * that what one of them notes can be compared with what another does.
 */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** The moment of `now()` that was `wall` in milliseconds since 1970. */
export function fromWallClock(wall: number): number {
  return now() - (Date.now() - wall);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
