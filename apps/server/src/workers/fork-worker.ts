import cluster from "node:cluster";
import { fileURLToPath } from "node:url";
import { isReady } from "./serving-worker.js";
import type { Worker, WorkerListener } from "./supervisor.js";

const main = fileURLToPath(new URL("../main.js", import.meta.url));

/** Starts a process that serves with the given settings, on top of this one's. */
export function forkWorker(settings: Readonly<Record<string, string>>, listener: WorkerListener): Worker {
  cluster.setupPrimary({ exec: main, args: ["serve"] });
  const worker = cluster.fork(settings);
  worker.on("message", (message: unknown) => {
    if (isReady(message)) listener.ready(message.ready);
  });
  worker.on("exit", (code: number | null, signal: string | null) => listener.exited(signal ?? code ?? 0));
  // It may have ended in the moment it is spoken to.
  worker.on("error", () => {});
  return {
    pid: worker.process.pid ?? 0,
    stop: () => void worker.process.kill("SIGTERM"),
    kill: () => void worker.process.kill("SIGKILL"),
  };
}
