/**
 * Runs a redis-server of the PATH that keeps nothing until standard input ends, also when its parent dies. Prints its process
 * id once it is ready. Arguments are handed on to the server.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const directory = await mkdtemp(join(tmpdir(), "sluice-redis-"));
try {
  const server = spawn(
    "redis-server",
    ["--dir", directory, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", ...process.argv.slice(2)],
    { cwd: directory, stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(server, "exit");
  const lines = [];
  createInterface({ input: server.stdout }).on("line", (line) => {
    lines.push(line);
    if (line.includes("Ready to accept connections")) process.stdout.write(`${server.pid}\n`);
  });
  const ended = (async () => {
    for await (const _ of process.stdin);
  })();
  const killed = await Promise.race([exited, ended]);
  if (killed !== undefined) throw new Error(`redis-server has ended: ${lines.slice(-3).join("\n")}`);
  // One that is frozen hears nothing else.
  server.kill("SIGKILL");
  await exited;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
