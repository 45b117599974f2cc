import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { member } from "./client.js";
import { type ServerProcess, sluice, startServer } from "./server-process.js";
import { openSocket } from "./socket.js";
import { describeTransports, type TransportName } from "./transports.js";

async function environment(transport: TransportName): Promise<Record<string, string>> {
  return {
    TRANSPORT: transport,
    DATABASE_URL: await freshDatabase(),
    SECRET_KEY: "a secret that both workers know, 32 bytes",
  };
}

/** The processes that have said so far that they listen; the supervisor's own line has no number. */
const listening = (server: ServerProcess): number[] =>
  server.log().flatMap(({ msg, pid }) => (msg === "listening" && typeof pid === "number" ? [pid] : []));

/** The worker that has a WebSocket for this user open. */
async function workerOf(server: ServerProcess, username: string): Promise<number> {
  const { pid } = await server.logged(({ msg, user }) => msg === "open" && user === username);
  return Number(pid);
}

describePostgres(() => {
  describeTransports((transport) => {
    it("serve on one port; one that crashes is replaced while the other serves on", async () => {
      const server = await startServer({ env: await environment(transport), workers: 2 });
      const before = listening(server);
      expect(new Set(before).size).toBe(2);
      expect(server.log().filter(({ layer }) => layer === "postgres")).toHaveLength(2);

      const { token } = await member(server.url, "ada");
      const socket = await openSocket(`${server.url}/?token=${token}`);
      const crashed = await workerOf(server, "ada");
      process.kill(crashed, "SIGKILL");
      expect(await socket.closed()).toMatchObject({ code: 1006 });
      const line = await server.logged(({ worker }) => worker === crashed);
      expect(line).toMatchObject({ level: 50, cause: "SIGKILL", ms: 100 });
      const statuses = await Promise.all(
        Array.from({ length: 20 }, async () => (await fetch(`${server.url}/readyz`)).status),
      );
      expect(statuses).toEqual(Array.from({ length: 20 }, () => 200));
      const { pid } = await server.logged(
        ({ msg, pid }) => msg === "listening" && typeof pid === "number" && !before.includes(pid),
      );

      // All of them, in one go, and those who are connected hear of it.
      const again = await openSocket(`${server.url}/ws/login/`);
      expect(await server.stop()).toBe(0);
      expect(await again.closed()).toMatchObject({ code: 1012 });
      const stopped = server.log().flatMap(({ msg, pid }) => (msg === "stopped" ? [pid] : []));
      const survivor = before.find((each) => each !== crashed);
      expect(stopped.slice(0, 2).sort()).toEqual([survivor, pid].sort());
      expect(stopped.slice(2)).toEqual([undefined]);
      expect(server.output()).not.toContain("not everything was closed");
    });

    it("are one server to who is in a room", async () => {
      const server = await startServer({ env: await environment(transport), workers: 2 });
      const { token } = await member(server.url, "ada");
      const sockets = [await openSocket(`${server.url}/ws/chat/room/?token=${token}`)];
      const here = await workerOf(server, "ada");
      // Connections go to either worker, as the system likes.
      const pids = () => server.log().flatMap(({ msg, pid }) => (msg === "open" ? [Number(pid)] : []));
      while (pids().every((pid) => pid === here)) {
        sockets.push(await openSocket(`${server.url}/ws/chat/room/?token=${token}`));
        await server.until(() => pids().length === sockets.length);
      }
      sockets[0]?.send({ type: "message", data: { message: "hello" } });
      for (const socket of sockets) expect(await socket.next()).toMatchObject({ data: { message: "hello" } });
      expect(await server.stop()).toBe(0);
    });

    it("drain and end when their supervisor is killed", async () => {
      const server = await startServer({ env: { ...(await environment(transport)), WORKERS: "2" } });
      const socket = await openSocket(`${server.url}/ws/login/`);
      // Closed when the last process that writes into it has ended.
      const outputEnds = once(server.process, "close");
      await server.kill();
      expect(await socket.closed()).toMatchObject({ code: 1012 });
      await outputEnds;
    });
  });

  it("give up when they do not start, again and again; each says why", async () => {
    const files = { TLS_KEY: "/no/such/key.pem", TLS_CERT: "/no/such/cert.pem" };
    const env = { ...(await environment("node")), ...files, PORT: "0" };
    const { code, stderr } = await sluice(["serve", "--workers", "2"], env);
    const lines = stderr.trim().split("\n");
    expect([code, lines.pop()]).toEqual([1, "sluice: a worker did not start, 5 times in a row"]);
    expect(lines.length).toBeGreaterThanOrEqual(5);
    for (const line of lines) expect(line).toMatch(/^sluice: .*\/no\/such\//);
  });

  it("are tried again while the system can start no process", async () => {
    const server = await startServer({
      env: await environment("node"),
      workers: 2,
      imports: ["toggle-node-on-signal.mjs"],
    });
    server.process.kill("SIGUSR2");
    const [crashed = 0] = listening(server);
    await server.logged(({ msg }) => msg === "no process can be started");
    process.kill(crashed, "SIGKILL");
    expect(await server.logged(({ cause }) => String(cause).includes("ENOENT"))).toMatchObject({ level: 50, ms: 200 });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    server.process.kill("SIGUSR2");
    await server.until(() => listening(server).length === 3);
    expect(await server.stop()).toBe(0);
  });

  it("drain after an error that nothing caught in their supervisor, which then does not end with 0", async () => {
    const server = await startServer({
      env: await environment("node"),
      workers: 2,
      imports: ["throw-on-signal.mjs"],
    });
    const socket = await openSocket(`${server.url}/ws/login/`);
    server.process.kill("SIGUSR2");
    expect(await socket.closed()).toMatchObject({ code: 1012 });
    expect(await server.ended).toBe(1);
    expect(server.log().filter(({ msg }) => msg === "stopped")).toHaveLength(3);
    expect(server.output()).toContain("sluice: stopped after an error that nothing caught; the log has it\n");
  });

  describe("of another program's cluster", () => {
    it("serve as if alone: they migrate, and end when they are told to", async () => {
      const env = { ...(await environment("node")), PORT: "0", CHANNEL_LAYER: "postgres" };
      const { code, stdout, stderr } = await sluice(["serve"], env, ["foreign-cluster.mjs"]);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain("login: 400\n");
      expect(stdout).toContain('"msg":"stopped"');
      // Nothing keeps it alive until the deadline.
      expect(stdout).not.toContain("not everything was closed");
    });

    it("do not start on a layer that ends at each of them", async () => {
      const env = { ...(await environment("node")), PORT: "0" };
      const { code, stderr } = await sluice(["serve"], env, ["foreign-cluster.mjs"]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^(sluice: CHANNEL_LAYER: expected redis:.* in a process of a cluster; .*\n)+$/);
    });

    it("do not start workers of their own", async () => {
      const env = { ...(await environment("node")), PORT: "0", WORKERS: "2" };
      const { code, stderr } = await sluice(["serve"], env, ["foreign-cluster.mjs"]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^sluice: WORKERS: expected 1 in a process that another program .*\n$/);
    });
  });
});

it("are refused on the embedded database, in one line", async () => {
  const { code, stderr } = await sluice(["serve", "--workers", "2"]);
  expect([code, stderr]).toEqual([
    1,
    "sluice: WORKERS: expected DATABASE_URL with more than one; the embedded database belongs to one process\n",
  ]);
});
