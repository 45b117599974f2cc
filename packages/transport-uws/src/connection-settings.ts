import type { Guard } from "./guard.js";

/** What all connections of a server share. */
export interface ConnectionSettings {
  readonly maxBackpressure: number;
  readonly guard: Guard;
}
