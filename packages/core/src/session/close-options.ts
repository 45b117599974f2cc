import { ConfigurationError } from "../errors.js";
import { longestTimer } from "../ports/clock.js";
import type { CloseOptions } from "../ports/server.js";

/** The options with what was left out. Throws `ConfigurationError` for one out of its range. */
export function checkCloseOptions({ deadline = 10_000, drain = 0 }: CloseOptions = {}): Required<CloseOptions> {
  // So that NaN is refused, too.
  if (!(deadline >= 0)) {
    throw new ConfigurationError(`expected deadline to be 0 or more milliseconds, got ${deadline}`);
  }
  if (!(drain >= 0 && drain <= longestTimer)) {
    throw new ConfigurationError(`expected drain to be 0 to ${longestTimer} milliseconds, got ${drain}`);
  }
  return { deadline, drain };
}
