import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

export interface ServerProcess {
  readonly url: string;
  readonly dataDirectory: string;
  readonly process: ChildProcess;
  /** Everything it has written so far. */
  output(): string;
  /** What it has logged so far, line by line. */
  log(): Record<string, unknown>[];
  /** Resolves with the first log line that fits, now or later. */
  logged(fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  /** Asks it to stop; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Kept afterwards; without it one is made, and removed when the server has ended. */
  readonly dataDirectory?: string;
}

/** A directory of a test's own, and what removes it. */
export async function temporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "sluice-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** The settings of a child process: this one's, without what would change the server's. */
function environment(added: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = ["PATH", "HOME", "TMPDIR", "LANG"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(own), ...added };
}

/** Starts the built server as a process of its own, on a free port; resolves when it listens. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const own = options.dataDirectory === undefined ? await temporaryDirectory() : undefined;
  const dataDirectory = options.dataDirectory ?? own?.path ?? "";
  const child = spawn(process.execPath, [main, "serve"], {
    env: environment({ PORT: "0", DATA_DIR: dataDirectory, ...options.env }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  const exited = once(child, "exit").then(() => own?.remove());

  const log = (): Record<string, unknown>[] =>
    output.split("\n").flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line)] : []));

  function logged(fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const line = log().find(fits);
        if (line === undefined) return;
        listeners.delete(look);
        resolve(line);
      };
      listeners.add(look);
      void exited.then(() => reject(new Error(`expected a log line, but the server ended; it wrote:\n${output}`)));
      look();
    });
  }

  const { url } = await logged(({ msg }) => msg === "listening");
  return {
    url: String(url),
    dataDirectory,
    process: child,
    output: () => output,
    log,
    logged,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      return child.exitCode;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Runs one command line to its end. */
export async function sluice(
  commandLine: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...commandLine], {
    env: environment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}
