import type { Clock, Guard } from "@sluice/core";

/** What all connections of a server share. */
export interface ConnectionSettings {
  readonly maxBackpressure: number;
  readonly clock: Clock;
  readonly guard: Guard;
}

/** Milliseconds that a client may take nothing of the last that it was sent, before it is cut. */
export const closeTimeout = 15_000;
