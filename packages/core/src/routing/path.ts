import type { App, Connection } from "../app.js";
import { claimOf } from "./claim.js";
import { type BuiltinValues, builtinConverters, type Converter, type Converters, checkConverter } from "./converter.js";
import type { Checked, PathKwargs, WithDefaults } from "./path-kwargs.js";
import { compilePath, type PathPattern } from "./path-pattern.js";
import type { Route } from "./route.js";
import type { Agreeing, BeyondRoute, Routed } from "./url-route.js";

/** A route that `reverse` makes paths for, out of `Kwargs`. */
export interface PathRoute<P extends Connection, Needs extends object, Kwargs extends object> extends Route<P, Needs> {
  readonly pattern: PathPattern<Kwargs>;
}

/** The type of {@link path}, where `Values` are the types of its converters' values. */
export type PathFunction<Values> = <
  const Pattern extends string,
  P extends Connection,
  Needs extends object = {},
  Defaults extends object = {},
>(
  pattern: Agreeing<Checked<Pattern, Values>, Needs, WithDefaults<PathKwargs<Pattern, Values>, Defaults>>,
  app: App<P, Needs & Routed<WithDefaults<PathKwargs<Pattern, Values>, Defaults>>>,
  defaults?: Defaults,
) => PathRoute<
  P,
  BeyondRoute<P, Needs, WithDefaults<PathKwargs<Pattern, Values>, Defaults>>,
  PathKwargs<Pattern, Values>
>;

/**
 * Makes a `path` that knows converters of your own, or other ones under the names of its own.
 *
 * They belong to the function, not to the router: so the pattern is checked where it stands, and the types of its
 * kwargs are known there. Throws `ConfigurationError` for a name or a pattern that will not do.
 *
 * @example
 * const path = paths({ year: { pattern: "[0-9]{4}", parse: Number, format: String } });
 * path("archive/<year:from>/", archive); // scope.urlRoute.kwargs.from is a number
 */
export function paths<Own extends object>(own: Converters<Own>): PathFunction<Own & Omit<BuiltinValues, keyof Own>> {
  for (const [name, converter] of Object.entries<Converter<unknown>>(own)) checkConverter(name, converter);
  const converters: Converters = { ...builtinConverters, ...own };
  const make = (pattern: string, app: App<Connection>, defaults: object = {}): Route<Connection> => ({
    pattern: compilePath(pattern, converters, claimOf(app) !== undefined),
    app,
    defaults: { ...defaults },
  });
  return make as PathFunction<Own & Omit<BuiltinValues, keyof Own>>;
}

/**
 * A route by a pattern such as `"ws/chat/<room>/<int:page>/"`, in Django's syntax.
 *
 * The pattern fits the whole path; if the application is a router, the pattern fits the beginning of the path, must end
 * with a slash, and what follows is the inner router's affair. A router is seen through middleware that `provide`,
 * `middleware` or `stack` made and through Sluice's own; around one in a plain function use `middleware`.
 *
 * - `<name>` is short for `<str:name>`. Converters: `int`, `str`, `slug`, `uuid`, `path`; more with {@link paths}.
 * - There can be one parameter between two slashes, and one `path` in a pattern: matching takes time in proportion to
 *   the path, whatever a client sends. For more use a converter of your own, or `rePath`.
 * - One leading slash may be written or left out. A trailing slash counts.
 * - The pattern meets the path percent-decoded: `%2F` is a slash like any other, which only `path` parameters can hold.
 * - `defaults` are kwargs of every match.
 *
 * Inside, `scope.urlRoute.kwargs` has the parameters under their names and with their types. Throws
 * `ConfigurationError` for a bad pattern.
 *
 * @example
 * path("ws/chat/<room>/<int:page>/", (scope, receive, send) => {
 *   const { room, page } = scope.urlRoute.kwargs; // a string and a number
 * });
 */
export const path: PathFunction<BuiltinValues> = paths({});
