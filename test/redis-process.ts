import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const script = fileURLToPath(new URL("redis-guardian.mjs", import.meta.url));

/** A redis-server of the PATH, in a process that ends when this one does, however that happens. */
export class RedisProcess {
  readonly port: number;
  /** Of redis-server itself. */
  readonly pid: number;
  readonly #guardian: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(guardian: ChildProcess, pid: number, port: number) {
    this.#guardian = guardian;
    this.#exited = once(guardian, "exit");
    this.pid = pid;
    this.port = port;
  }

  /** Without a port, on a free one. Rejects if the server does not start. */
  static async start(settings: readonly string[] = [], port?: number): Promise<RedisProcess> {
    const chosen = port ?? (await freePort());
    const guardian = spawn(process.execPath, [script, "--port", String(chosen), ...settings], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const complaints = text(guardian.stderr);
    const pid = await Promise.race([
      once(createInterface({ input: guardian.stdout }), "line").then(([line]) => Number(line)),
      once(guardian, "exit").then(() => undefined),
    ]);
    if (pid === undefined) throw new Error(`redis-server does not start: ${(await complaints).trim()}`);
    return new RedisProcess(guardian, pid, chosen);
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    process.kill(this.pid, signal);
  }

  /** Resolves when it is dead: it hears of nothing. */
  async kill(): Promise<void> {
    this.#guardian.stdin?.end();
    await this.#exited;
  }
}

/** Throws where the PATH has no redis-server. */
export async function checkRedisInstalled(): Promise<void> {
  await promisify(execFile)("redis-server", ["--version"]);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
