import type { BrokerCommand } from "./broker-process.js";

export const redisCommand = "redis-server";

/** A Redis from the PATH that keeps nothing on disk. */
export async function prepareRedis(directory: string, port: number): Promise<BrokerCommand> {
  return {
    url: `redis://127.0.0.1:${port}`,
    command: redisCommand,
    given: [
      ...["--port", String(port), "--bind", "127.0.0.1"],
      ...["--save", "", "--appendonly", "no", "--dir", directory],
    ],
    readyWords: "Ready to accept connections",
    identity: {},
    stopSignal: "SIGTERM",
  };
}
