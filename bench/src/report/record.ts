import type { Environment } from "../environment.js";
import type { Round } from "../measure/rounds.js";
import type { Row } from "../rows/row.js";

/** All that is known of a run: what is written as JSON, and what every report is made of. */
export interface RunRecord {
  readonly environment: Environment;
  readonly pace: string;
  readonly contestants: readonly Entrant[];
  readonly rows: readonly RowRecord[];
}

/** A contestant as a report names it. */
export interface Entrant {
  readonly name: string;
  readonly title: string;
  /** The contestant that does the same on the same driver without a library. */
  readonly control?: string;
  /** Of what it is made: `["ws 8.23.0"]`. */
  readonly versions: readonly string[];
  /** Why it could not run here. */
  readonly missing?: string;
}

export interface RowRecord extends Pick<Row, "name" | "title" | "unit" | "resource" | "along"> {
  readonly points: readonly PointRecord[];
  readonly failures: readonly Failure[];
}

export interface PointRecord {
  readonly at: number;
  readonly rounds: readonly Round[];
}

/** A contestant that was wrong, slow or dead. */
export interface Failure {
  readonly contestant: string;
  /** Of the point in which it failed. */
  readonly at: number;
  readonly words: string;
}
