import type { RunOptions } from "./arguments.js";
import { openFilesLimit } from "./soak/open-files.js";

/** Files that a process has open besides those connections, by a wide margin: a load's own among them. */
const others = 2_500;

/**
 * Why the rows cannot have their connections, each being a file to the driver and one to the server; undefined if they can.
 * `limit` is how many files a process may have open, undefined where nobody says.
 */
export function tooFewFiles(
  { rows, units }: Pick<RunOptions, "rows" | "units">,
  limit: number | undefined = openFilesLimit(),
): string | undefined {
  const needs = rows.map(({ name, points }) => ({
    name,
    files: others + Math.min(units ?? Infinity, Math.max(...points.map(({ connections = 0 }) => connections))),
  }));
  const most = Math.max(...needs.map(({ files }) => files));
  if (limit === undefined || limit >= most) return undefined;
  const names = needs.filter(({ files }) => files > limit).map(({ name }) => name);
  return (
    `expected a limit of at least ${most} open files, got ${limit}: raise it (ulimit -n ${most}), ` +
    `or leave out (--only) what has so many connections: ${names.join(", ")}`
  );
}
