/** What a pattern found out about a path. */
export interface RouteMatch {
  readonly args: readonly (string | undefined)[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** What of the path comes after the match. */
  readonly rest: string;
}

/** Says which paths are a route's. */
export interface RoutePattern {
  /** As it was written, without a leading slash. */
  readonly text: string;
  /** Undefined for a path that is not the route's. Paths come percent-decoded and without their leading slash. */
  match(path: string): RouteMatch | undefined;
}
