import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";

/** What the stores ask of a database: PostgreSQL's dialect, whichever driver speaks it. */
export type Connection = PgDatabase<PgQueryResultHKT>;

/** What a statement has given. */
export interface QueryResult {
  readonly rows: readonly unknown[];
  /** How many rows it has given or changed. */
  readonly rowCount: number;
}

/** What each driver supplies. Errors leave it as they are. */
export interface Driver {
  readonly connection: Connection;
  query(text: string, values: readonly unknown[]): Promise<QueryResult>;
  /** Runs the migrations that have not run, once, however many processes ask. */
  migrate(): Promise<void>;
  /** Ends in bounded time. Called once. */
  close(): Promise<void>;
}

/** The row of a statement that gives exactly one. */
export function one<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error("expected one row from the database, got none");
  return row;
}
