import type { App, Connection } from "../app.js";
import { expressionPattern } from "./expression-pattern.js";
import type { Route } from "./route.js";
import type { BeyondRoute, Routed } from "./url-route.js";

/** Any name might be that of a group, and a group may have taken no part. */
type GroupKwargs = Record<string, string | undefined>;

/**
 * A route by a regular expression, searched for in the decoded path without its leading slash: it is anchored only
 * where it says so, with `^` and `$`.
 *
 * Named groups become kwargs; if there are none, the groups become args. What follows the match is left to an inner
 * router. An expression that backtracks badly is a way to keep the server busy: it meets whatever a client sends.
 * Throws `ConfigurationError` for the flags `g` and `y`.
 *
 * @example
 * rePath(/^ws\/(?<room>\w+)\/$/, (scope, receive, send) => { scope.urlRoute.kwargs.room; });
 */
export function rePath<P extends Connection, Needs extends object = {}>(
  expression: RegExp,
  app: App<P, Needs & Routed<GroupKwargs>>,
  defaults: Readonly<Record<string, string>> = {},
): Route<P, BeyondRoute<P, Needs, GroupKwargs>> {
  const route: Route<P, never> = { pattern: expressionPattern(expression), app, defaults: { ...defaults } };
  // What the route gives by itself, it does not need from outside.
  return route as Route<P, BeyondRoute<P, Needs, GroupKwargs>>;
}
