import type { Clock, Guard } from "@sluice/core";
import type { Outbox } from "./outbox.js";

/** What all connections of a server share. */
export interface ConnectionSettings {
  readonly maxBackpressure: number;
  readonly compression: boolean;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly outbox: Outbox;
}

/** Milliseconds that a client may take nothing of the last that it was sent, before it is cut. */
export const closeTimeout = 15_000;
