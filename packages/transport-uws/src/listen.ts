import { createServer } from "node:net";
import { exclusivePort, type ListenSocket, type NativeApp } from "./native.js";

/** Rejects with the system's error: `code` is `"EADDRINUSE"` where the port is taken. */
export function listen(native: NativeApp, host: string, port: number): Promise<ListenSocket> {
  return new Promise((resolve, reject) => {
    native.listen(host, port, exclusivePort, (socket) => {
      if (socket === false) refusal(host, port).then(reject, reject);
      else resolve(socket);
    });
  });
}

/** The native side only says that it failed, so ask for the reason by trying again. */
function refusal(host: string, port: number): Promise<Error> {
  return new Promise((resolve) => {
    const probe = createServer();
    const describe = (code: string, cause?: Error): Error =>
      Object.assign(new Error(`cannot listen on ${host}:${port} (${code})`, { cause }), { code });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(describe(error.code ?? "EUNKNOWN", error)));
    // It was taken when the native side tried, and has become free in between.
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(describe("EADDRINUSE"))));
  });
}
