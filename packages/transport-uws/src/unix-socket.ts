/** The file of a Unix socket, for a native side that would take whatever is in its place away. */
import { lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { listenError } from "@sluice/core";

/** Rejects with `EADDRINUSE` unless there is nothing at `path`, or the socket of a server that is no more. */
export async function checkIsFree(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw listenError(path, "EADDRINUSE");
  await new Promise<void>((resolve, reject) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      reject(listenError(path, "EADDRINUSE"));
    });
    probe.once("error", (error: NodeJS.ErrnoException) => {
      // Gone in between, or with nobody behind it. Anything else, such as a full backlog, speaks of a server.
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve();
      else reject(listenError(path, error.code === "EAGAIN" ? "EADDRINUSE" : error.code, error));
    });
  });
}

/** Tells a file from another one that has since taken its place, perhaps with the same inode; not by its mode or owner. */
export function fileIdentity(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return found && `${found.dev}:${found.ino}:${found.birthtimeNs}`;
}

/** Removes the file, if it is still the same. */
export function removeSocket(path: string, identity: string | undefined): void {
  try {
    if (identity !== undefined && fileIdentity(path) === identity) unlinkSync(path);
  } catch {
    // What is left behind is replaced by the next server, and no reason to stop short of closing this one.
  }
}
