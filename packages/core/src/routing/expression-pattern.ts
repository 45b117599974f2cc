import { ConfigurationError } from "../errors.js";
import type { RoutePattern } from "./route-pattern.js";

/** Makes a pattern of a regular expression. Throws `ConfigurationError` for one that remembers where it left off. */
export function expressionPattern(expression: RegExp): RoutePattern {
  if (expression.global || expression.sticky) {
    throw new ConfigurationError(
      `bad route expression ${expression}: its flags g and y make it depend on what it matched before, leave them out`,
    );
  }
  return {
    text: expression.source,
    match(path) {
      const found = expression.exec(path);
      if (found === null) return undefined;
      const rest = path.slice(found.index + found[0].length);
      return found.groups === undefined
        ? { args: found.slice(1), kwargs: {}, rest }
        : { args: [], kwargs: participating(found.groups), rest };
    },
  };
}

/** Without the groups that took no part, so that they do not hide a default or an outer router's value. */
function participating(groups: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kwargs: Record<string, string> = {};
  for (const [name, value] of Object.entries(groups)) {
    if (value !== undefined) kwargs[name] = value;
  }
  return kwargs;
}
