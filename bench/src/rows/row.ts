import type { Load, Visit } from "../driver/load.js";
import type { Sample } from "../measure/rounds.js";
import type { Place } from "../servers/site.js";

/** How long a run may take: a look at every row in minutes, or figures to rely on. */
export type Pace = "quick" | "full";

/** One place along which a row is measured. */
export interface Point {
  /** So many of what `along` says; 1 where the row has one point only. */
  readonly at: number;
  /** About how many units one round does. */
  readonly units: Readonly<Record<Pace, number>>;
  /** Connections that there are at one time, where they are many. */
  readonly connections?: number;
  /** Who takes part: everybody if left out, or the few whom the row is about. */
  readonly only?: readonly string[];
}

/** What the first contestant is wanted to reach. The figure is a cost per unit, divided by another one. */
export interface Goal {
  /** What the cost is compared with: another contestant's in the same rounds, its own in another row, or at the first point. */
  readonly to: { readonly contestant: string } | { readonly row: string } | "first point" | "nothing";
  /** At which point; at each of them if left out. */
  readonly at?: number;
  readonly atMost: number;
}

/** Something that is measured, of every contestant that has the place for it. Of memory every sample is a fresh server's. */
export interface Row {
  readonly name: string;
  /** For the report. */
  readonly title: string;
  /** What is counted, in the singular. */
  readonly unit: string;
  readonly place: Place;
  /** It takes binary messages, which some dialects have not. */
  readonly isBinary?: true;
  /** What a unit costs: microseconds of the server's processor, or bytes of its resident memory. */
  readonly resource: "cpu" | "memory";
  /** What the points differ by, in the plural. */
  readonly along?: string;
  readonly points: readonly Point[];
  /**
   * Each point has servers of its own, and they take turns as the contestants do: where a point is compared with another one, and
   * what disturbs the machine for a while is not to disturb only one of them.
   */
  readonly pointsTakeTurns?: true;
  /** How many rounds, where each is long: none comes before to warm up, and nobody does fewer units for being slow. */
  readonly rounds?: Readonly<Record<Pace, number>>;
  readonly goals: readonly Goal[];
  load(visit: Visit): Load;
  /** Something else to say of a sample: how much, of what. */
  readonly remark?: { readonly title: string; of(sample: Sample): number | undefined };
}
