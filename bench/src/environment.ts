import { cpus, loadavg } from "node:os";

/** What the results were got with. */
export interface Environment {
  readonly node: string;
  readonly machine: string;
  /** ISO 8601. */
  readonly date: string;
  /** The average number of processes that wanted to run in the last minute, when the run began (getloadavg(3)). */
  readonly load: number;
}

export function environment(): Environment {
  const processors = cpus();
  return {
    node: process.versions.node,
    machine: `${processors.length} x ${processors[0]?.model.trim() ?? "an unknown processor"}, ${process.platform}`,
    date: new Date().toISOString(),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}
