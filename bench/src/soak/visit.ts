import type { Pauses } from "./pauses.js";
import type { Random } from "./random.js";
import type { Tally } from "./tally.js";

/** What a client visits with. */
export interface Visit {
  /** Its own; what it says begins with it. */
  readonly name: string;
  readonly port: number;
  readonly room: number;
  readonly random: Random;
  readonly pauses: Pauses;
  readonly pace: Pace;
  readonly tally: Tally;
  /** To be called when the server has taken the client in. */
  readonly arrived: () => void;
}

/** Milliseconds, on average. */
export interface Pace {
  /** That a visit lasts. */
  readonly stay: number;
  /** Between two things that a client says. */
  readonly gap: number;
}
