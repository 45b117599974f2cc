import type { App, Connection } from "../app.js";
import { RouteNotFound } from "../errors.js";
import { type ConnectionScope, growScope } from "../scope.js";
import { type Claim, claiming, claimOf } from "./claim.js";
import type { Flat } from "./flat.js";
import type { Route } from "./route.js";
import type { RouteMatch } from "./route-pattern.js";
import type { Routed } from "./url-route.js";

/** What all of some routes' applications together need. */
type AllNeeds<Some> = [Some] extends [never]
  ? {}
  : (Some extends Route<never, infer Needs> ? (needs: Needs) => void : never) extends (needs: infer All) => void
    ? Flat<All>
    : never;

/**
 * Hands a connection to the application of the first route whose pattern fits its path.
 *
 * It routes `scope.pathRemaining`, which an outer router left, or else `scope.path` without `scope.rootPath`. Inside,
 * `scope.urlRoute` says what matched. Throws `RouteNotFound`, answered with 404, if no route fits.
 *
 * A router may stand inside another, and middleware between them. The outer router asks the inner one before it calls
 * anything: a path that the inner router has no route for goes on to the outer router's next route, and no middleware
 * runs for it. So a `RouteNotFound` from an application is final.
 *
 * @example
 * URLRouter([
 *   path("ws/chat/<room>/", chat),
 *   path("ws/admin/", TokenAuth(URLRouter([path("log/", log)]), tokens)),
 * ]);
 */
export function URLRouter<P extends Connection, const Routes extends readonly Route<P, never>[]>(
  routes: Routes & readonly Route<P, never>[],
): App<P, AllNeeds<Routes[number]>> {
  const entries: readonly Entry<P>[] = routes.map((route: Route<P, never>) => ({
    route,
    claim: claimOf(route.app),
    hasDefaults: Object.keys(route.defaults).length > 0,
  }));
  const claims: Claim = (path) => find(entries, path) !== undefined;
  return claiming((scope, receive, send) => {
    const outer: ConnectionScope & Partial<Routed> = scope;
    const found = find(entries, outer.pathRemaining ?? beyondRoot(outer));
    // The path stays out of the message: it may hold a secret.
    if (found === undefined) throw new RouteNotFound("expected a path that a route fits, got one that none does");
    const { entry, match } = found;
    const { route, hasDefaults } = entry;
    const routed: Routed = {
      pathRemaining: match.rest,
      urlRoute:
        outer.urlRoute === undefined && !hasDefaults
          ? { route: route.pattern.text, args: match.args, kwargs: match.kwargs }
          : {
              route: (outer.urlRoute?.route ?? "") + route.pattern.text,
              args: [...(outer.urlRoute?.args ?? []), ...match.args],
              kwargs: { ...outer.urlRoute?.kwargs, ...route.defaults, ...match.kwargs },
            },
    };
    return route.app(growScope(scope, routed) as never, receive, send);
  }, claims);
}

interface Entry<P extends Connection> {
  readonly route: Route<P, never>;
  readonly claim: Claim | undefined;
  readonly hasDefaults: boolean;
}

function find<P extends Connection>(
  entries: readonly Entry<P>[],
  remaining: string,
): { readonly entry: Entry<P>; readonly match: RouteMatch } | undefined {
  const path = remaining.startsWith("/") ? remaining.slice(1) : remaining;
  for (const entry of entries) {
    const match = entry.route.pattern.match(path);
    if (match !== undefined && (entry.claim === undefined || entry.claim(match.rest))) return { entry, match };
  }
  return undefined;
}

/** The path without the root path, where that ends at the end of a segment. */
function beyondRoot({ path, rootPath }: ConnectionScope): string {
  if (rootPath === "" || !path.startsWith(rootPath)) return path;
  const rest = path.slice(rootPath.length);
  return rest === "" || rest.startsWith("/") ? rest : path;
}
