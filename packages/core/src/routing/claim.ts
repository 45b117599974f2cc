/**
 * How routers see one another through what stands between them: a router lays its claim to paths on its application,
 * middleware hands the claim on to the application it makes, and an outer router asks before it calls anything.
 */
import type { App, Protocol } from "../app.js";

/** Whether a router has a route for a path, of which the part that led to the router has been taken off. */
export type Claim = (path: string) => boolean;

/** Registered, so that two copies of this package in one process understand each other. */
const claim: unique symbol = Symbol.for("sluice.claim");

/** The claim of an application that is a router or leads to one; undefined for any other. */
export function claimOf(app: object): Claim | undefined {
  return (app as { readonly [claim]?: Claim })[claim];
}

/** The same application with a claim. A copy: the original may serve in other places, where it claims nothing. */
export function claiming<P extends Protocol, Needs extends object>(
  app: App<P, Needs>,
  paths: Claim | undefined,
): App<P, Needs> {
  if (paths === undefined) return app;
  const copy: App<P, Needs> = (scope, receive, send) => app(scope, receive, send);
  return Object.assign(copy, { [claim]: paths });
}
