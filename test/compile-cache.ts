import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Has the processes of a run share the code that they compile, from Node 22 on; it is removed when the run ends. */
export async function setup(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-compiled-"));
  process.env.NODE_COMPILE_CACHE ??= directory;
  return () => rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
