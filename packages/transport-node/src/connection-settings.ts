import type { Guard } from "@sluice/core";

/** What all connections of a server share. */
export interface ConnectionSettings {
  readonly maxBackpressure: number;
  readonly guard: Guard;
}
