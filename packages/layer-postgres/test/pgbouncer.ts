import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { freePort, identity } from "../../../test/embedded-server.mjs";

/** Debian puts it where only root looks. */
const path = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];

/** Where PgBouncer is; undefined where it is not installed. A failure on CI. */
export const pgbouncer: string | undefined = find();

export interface RunningPgBouncer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a PgBouncer in front of the database of `url`. */
export async function startPgBouncer(url: string, mode: "transaction" | "session"): Promise<RunningPgBouncer> {
  if (pgbouncer === undefined) throw new Error("there is no PgBouncer");
  const { hostname, port, username, password, pathname } = new URL(url);
  const database = pathname.slice(1);
  const directory = await mkdtemp(join(tmpdir(), "sluice-pgbouncer-"));
  const listenPort = await freePort();
  const file = join(directory, "pgbouncer.ini");
  await writeFile(
    file,
    `[databases]
${database} = host=${hostname} port=${port || 5432} dbname=${database} user=${username}${password && ` password='${decodeURIComponent(password)}'`}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
`,
  );
  await chmod(directory, 0o755);
  const child = spawn(pgbouncer, [file], { stdio: ["ignore", "ignore", "pipe"], ...identity });
  const exited = once(child, "exit");
  const lines: string[] = [];
  const up = new Promise<true>((resolve) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      lines.push(line);
      if (line.includes("process up")) resolve(true);
    });
  });
  if ((await Promise.race([up, exited])) !== true) throw new Error(`PgBouncer does not start: ${lines.join("\n")}`);
  return {
    url: `postgres://somebody:a-secret@127.0.0.1:${listenPort}/${database}`,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      await rm(directory, { recursive: true });
    },
  };
}

function find(): string | undefined {
  for (const directory of path) {
    const file = join(directory, "pgbouncer");
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next one.
    }
  }
  if (process.env.CI) throw new Error("expected pgbouncer on the PATH");
  return undefined;
}
