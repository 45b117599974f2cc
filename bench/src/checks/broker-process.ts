import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { now, pause } from "../measure/now.js";

/** How to run a server that a layer needs, in the foreground. */
export interface BrokerCommand {
  readonly url: string;
  readonly command: string;
  readonly given: readonly string[];
  /** Stands in the line that says it is ready, on whichever stream. */
  readonly readyWords: string;
  /** Another user that it runs as. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
  /** Asks it to end at once and leave nothing behind. */
  readonly stopSignal: NodeJS.Signals;
}

/** Prepares a server in a directory of its own. */
export type PrepareBroker = (directory: string, port: number) => Promise<BrokerCommand>;

/** Milliseconds that a server has to be ready, recovery from a crash included. */
const startLimit = 30_000;

/** Milliseconds that it has to end when this process does. */
const lastGrace = 500;

/** Lines that are kept of what it says. */
const keptLines = 5;

/** A server that was started here: it can be killed, started again, stopped and continued, and never outlives this process. */
export class BrokerProcess {
  readonly #directory: string;
  readonly #command: BrokerCommand;
  #process: ChildProcess | undefined;
  #frozen: readonly number[] = [];

  private constructor(directory: string, command: BrokerCommand) {
    this.#directory = directory;
    this.#command = command;
    process.prependListener("exit", () => this.#vanish());
  }

  /** Resolves when it is ready. Its directory is removed when this process ends. */
  static async start(prepare: PrepareBroker, directory: string): Promise<BrokerProcess> {
    // The last listener: by then the server that works in there is dead.
    process.on("exit", () => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
    const broker = new BrokerProcess(directory, await prepare(directory, await freePort()));
    await broker.restart();
    return broker;
  }

  get url(): string {
    return this.#command.url;
  }

  /** By SIGKILL. Resolves with the moment at which it was gone. */
  async kill(): Promise<number> {
    await this.#end("SIGKILL");
    return now();
  }

  /** Resolves with the moment at which it said that it was ready. */
  async restart(): Promise<number> {
    const deadline = now() + startLimit;
    for (;;) {
      const lines: string[] = [];
      const ready = await this.#launch(lines);
      if (ready !== undefined) return ready;
      if (now() > deadline) throw new Error(`${this.#command.command} does not start: ${lines.join("\n")}`);
      // What a killed server has left behind may take a moment to go.
      await pause(50);
    }
  }

  /** By SIGSTOP, with the processes it has made. Its connections stay, and nobody answers on them. */
  freeze(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error("expected a server that runs");
    process.kill(pid, "SIGSTOP");
    // Stopped first: it makes no further ones meanwhile.
    this.#frozen = [pid, ...childrenOf(pid)];
    for (const each of this.#frozen) signal(each, "SIGSTOP");
    return now();
  }

  thaw(): number {
    for (const each of this.#frozen) signal(each, "SIGCONT");
    this.#frozen = [];
    return now();
  }

  async end(): Promise<void> {
    this.thaw();
    await this.#end(this.#command.stopSignal);
  }

  /** Resolves with undefined if it ends before it is ready. */
  async #launch(lines: string[]): Promise<number | undefined> {
    const { command, given, identity, readyWords } = this.#command;
    const launched = spawn(command, given, {
      cwd: this.#directory,
      stdio: ["ignore", "pipe", "pipe"],
      ...identity,
    });
    this.#process = launched;
    const gone = new Promise<undefined>((resolve) => {
      launched.once("exit", () => resolve(undefined));
      launched.once("error", (error) => {
        lines.push(error.message);
        resolve(undefined);
      });
    });
    const ready = new Promise<number>((resolve) => {
      for (const stream of [launched.stdout, launched.stderr] as Readable[]) {
        createInterface({ input: stream }).on("line", (line) => {
          lines.splice(0, lines.length - keptLines + 1);
          lines.push(line);
          if (line.includes(readyWords)) resolve(now());
        });
      }
    });
    return Promise.race([ready, gone]);
  }

  async #end(how: NodeJS.Signals): Promise<void> {
    const ending = this.#process;
    this.#process = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const gone = once(ending, "exit");
    ending.kill(how);
    await gone;
  }

  /** For the end of this process, where nothing can be awaited. */
  #vanish(): void {
    this.thaw();
    if (this.#process?.kill(this.#command.stopSignal) !== true) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lastGrace);
    this.#process.kill("SIGKILL");
  }
}

/** PostgreSQL serves each connection in a process of its own. */
function childrenOf(pid: number): number[] {
  try {
    return execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number);
  } catch {
    // It found none.
    return [];
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return address.port;
}
