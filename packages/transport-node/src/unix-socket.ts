import { lstatSync } from "node:fs";
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
