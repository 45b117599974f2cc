import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** The arguments of `node` for one command line. */
export function nodeArguments(commandLine: readonly string[], imports: readonly string[] = []): string[] {
  const urls = imports.map((name) => new URL(`fixtures/${name}`, import.meta.url).href);
  return [...urls.flatMap((url) => ["--import", url]), main, ...commandLine];
}

export interface ServerProcess {
  /** Of a worker it is nothing. */
  readonly url: string;
  readonly dataDirectory: string;
  readonly process: ChildProcess;
  /** Everything it has written so far. */
  output(): string;
  /** What it has logged so far, line by line. */
  log(): Record<string, unknown>[];
  /** Resolves with the first log line that fits, now or later. */
  logged(fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  /** Resolves when the log is as `condition` wants it. */
  until(condition: () => boolean): Promise<void>;
  /** Asks it to stop; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** The exit code, when it has ended. */
  readonly ended: Promise<number | null>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Modules of `fixtures/` that are loaded first. */
  readonly imports?: readonly string[];
  /** For `--workers`. */
  readonly workers?: number;
  /** Kept afterwards; without it one is made, and removed when the server has ended. */
  readonly dataDirectory?: string;
}

/** What a test that failed has left running. */
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Has a process ended with the test file, whatever becomes of the test. */
export function keepTrackOf<Child extends ChildProcess>(child: Child): Child {
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** A directory of a test's own, and what removes it. */
export async function temporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "sluice-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** The settings of a child process: this one's, without what would change the server's. */
function environment(added: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = ["PATH", "HOME", "TMPDIR", "LANG", "NODE_COMPILE_CACHE"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(own), ...added };
}

/** Starts the built server as a process of its own, on a free port; resolves when it listens. */
export function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const workers = options.workers === undefined ? [] : ["--workers", `${options.workers}`];
  return startProcess(["serve", ...workers], "listening", options);
}

/** Starts a worker of channels; resolves when it reads them. */
export function startWorker(channels: readonly string[], options: ServerOptions = {}): Promise<ServerProcess> {
  return startProcess(["worker", ...channels], "working", options);
}

/** Resolves when it has logged `readiness`. */
async function startProcess(
  commandLine: readonly string[],
  readiness: string,
  options: ServerOptions,
): Promise<ServerProcess> {
  const own = options.dataDirectory === undefined ? await temporaryDirectory() : undefined;
  const dataDirectory = options.dataDirectory ?? own?.path ?? "";
  const address = options.env?.UNIX_SOCKET === undefined ? { PORT: "0" } : {};
  const child = keepTrackOf(
    spawn(process.execPath, nodeArguments(commandLine, options.imports), {
      env: environment({ ...address, DATA_DIR: dataDirectory, ...options.env }),
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  let output = "";
  const lines: Record<string, unknown>[] = [];
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    let unfinished = "";
    stream.on("data", (text: string) => {
      output += text;
      const complete = (unfinished + text).split("\n");
      unfinished = complete.pop() ?? "";
      lines.push(...complete.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line)));
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, "exit").then(async () => {
    await own?.remove();
    return child.exitCode;
  });

  function until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      void ended.then(() => reject(new Error(`expected a log line, but the server ended; it wrote:\n${output}`)));
      look();
    });
  }

  async function logged(fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    await until(() => lines.some(fits));
    return lines.find(fits) ?? {};
  }

  // A worker's own line has the number of its process.
  const { url } = await logged(({ msg, pid }) => msg === readiness && pid === undefined);
  return {
    url: String(url),
    dataDirectory,
    process: child,
    output: () => output,
    log: () => lines,
    logged,
    until,
    async stop() {
      child.kill("SIGTERM");
      return ended;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    ended,
  };
}

/** Runs one command line to its end. */
export async function sluice(
  commandLine: readonly string[],
  env: Readonly<Record<string, string>> = {},
  imports: readonly string[] = [],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = keepTrackOf(
    spawn(process.execPath, nodeArguments(commandLine, imports), {
      env: environment(env),
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}
