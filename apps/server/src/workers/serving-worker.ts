import cluster from "node:cluster";
import type { Logger } from "@sluice/core";
import { type StopRequest, stopRequest } from "../process/stop-request.js";

/** What a supervisor puts into the environment of its workers. */
export const workerMark = { SLUICE_WORKER: "1" };

/** True in a process that a supervisor of ours has started, and not the cluster of another program. */
export const isOwnWorker: boolean = cluster.isWorker && process.env.SLUICE_WORKER === workerMark.SLUICE_WORKER;

interface Ready {
  readonly ready: string;
}

export function isReady(message: unknown): message is Ready {
  return typeof message === "object" && message !== null && "ready" in message && typeof message.ready === "string";
}

/** Tells the supervisor that this process serves at `url`. */
export function reportReady(url: string): void {
  process.send?.({ ready: url } satisfies Ready);
}

/** Lets go of whoever has started this process as its worker: the channel between them keeps it alive. */
export function leaveCluster(): void {
  const { worker } = cluster;
  if (worker === undefined || !process.connected) return;
  // Else node:cluster ends the process with exit code 0.
  worker.exitedAfterDisconnect = true;
  process.disconnect();
}

/**
 * As `stopRequest`, for a worker: the end of its supervisor is a reason as well, and a second signal changes nothing, as a
 * service manager may signal all processes while the supervisor does, too.
 */
export function workerStopRequest(logger: Logger): Promise<StopRequest> {
  const { worker } = cluster;
  const abandoned = new Promise<StopRequest>((resolve) => {
    worker?.on("disconnect", () => {
      // Else node:cluster ends the process on the spot, and its connections with it.
      worker.exitedAfterDisconnect = true;
      resolve({ reason: "the supervisor has ended", failed: false });
    });
  });
  return Promise.race([stopRequest(logger, () => {}), abandoned]);
}
