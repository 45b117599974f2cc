import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** What the results were got with. */
export interface Environment {
  readonly node: string;
  readonly uWebSockets: string;
  readonly jose: string;
  readonly machine: string;
}

export function environment(): Environment {
  const processors = cpus();
  return {
    node: process.versions.node,
    uWebSockets: pinned("uWebSockets.js"),
    jose: pinned("jose"),
    machine: `${processors.length} x ${processors[0]?.model.trim() ?? "an unknown processor"}, ${process.platform}`,
  };
}

/** As it stands in package.json, where the versions are exact. */
function pinned(dependency: string): string {
  const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return dependencies[dependency] ?? "of an unknown version";
}
