import type { PathPattern } from "./path-pattern.js";

/**
 * The path that leads to a route, percent-encoded: what the route's pattern makes of `kwargs`, behind `base`.
 *
 * `base` is `scope.rootPath`, or for a route of an inner router the path that leads to that router. Throws a
 * `TypeError` for a value that the pattern would not match. A route made by `rePath` cannot be reversed.
 *
 * @example
 * const room = path("ws/chat/<room>/", chat);
 * reverse(room, { room: "tea & cake" }); // "/ws/chat/tea%20%26%20cake/"
 */
export function reverse<Kwargs extends object>(
  route: { readonly pattern: PathPattern<Kwargs> },
  kwargs: NoInfer<Kwargs>,
  base = "/",
): string {
  const path = `${base.endsWith("/") ? base : `${base}/`}${route.pattern.build(kwargs)}`;
  // Browsers take what follows two slashes for a host.
  return path.startsWith("//") ? `/%2F${path.slice(2)}` : path;
}
