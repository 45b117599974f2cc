import type { Crowd } from "./crowd.js";
import type { Server } from "./server.js";

/** The server that a load is for, and what is wanted of it. */
export interface Visit extends Server {
  /** Who is there the whole time. */
  readonly crowd: Crowd;
  /** About how many units are to be done. */
  readonly units: number;
  /** Where the row's point is: so many members, connections, groups. */
  readonly at: number;
}

/** What a load has to say when it is over. */
export interface Outcome {
  readonly units: number;
  /** WebSockets that the server had closed before, unasked. */
  readonly lost: number;
  /** Of the messages that were due, from 0 to 1; left out where every one of them has to come. */
  readonly share?: number;
}

/** Work for a server, of which only the middle part is measured. */
export interface Load {
  prepare(): Promise<void>;
  /** Rejects if an answer is wrong, late or missing. Once. */
  run(): Promise<void>;
  /** Leaves. */
  finish(): Promise<Outcome>;
}
