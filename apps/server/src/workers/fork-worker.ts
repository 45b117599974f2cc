import cluster from "node:cluster";
import { fileURLToPath } from "node:url";
import { isReady, workerMark } from "./serving-worker.js";
import type { Worker, WorkerListener } from "./supervisor.js";

const main = fileURLToPath(new URL("../main.js", import.meta.url));

/** Starts a process that serves with the given settings, on top of this one's. May throw where the system has no room. */
export function forkWorker(settings: Readonly<Record<string, string>>, listener: WorkerListener): Worker {
  cluster.setupPrimary({ exec: main, args: ["serve"] });
  const worker = cluster.fork({ ...settings, ...workerMark });
  const { pid } = worker.process;
  worker.on("message", (message: unknown) => {
    if (isReady(message)) listener.ready(message.ready);
  });
  worker.on("exit", (code: number | null, signal: string | null) => listener.exited(signal ?? code ?? 0));
  worker.on("error", (error: Error) => {
    // What was never started does not exit. One that was may have ended in the moment it is spoken to.
    if (pid === undefined) listener.exited(error.message);
  });
  return {
    pid,
    stop: () => void worker.process.kill("SIGTERM"),
    kill: () => void worker.process.kill("SIGKILL"),
  };
}
