import type { App, Connection } from "../app.js";
import type { RoutePattern } from "./route-pattern.js";

/** A pattern and the application for the paths that fit it. Made by `path` and `rePath`. */
export interface Route<P extends Connection, Needs extends object = {}> {
  readonly pattern: RoutePattern;
  readonly app: App<P, Needs>;
  /** Kwargs of every match, where the pattern finds none of their name. */
  readonly defaults: Readonly<Record<string, unknown>>;
}
