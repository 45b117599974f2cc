import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { connect, createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { quickDatabase } from "./quick-database.js";
import { keepTrackOf, nodeArguments, startServer, temporaryDirectory } from "./server-process.js";
import { openSocket } from "./socket.js";
import { tcpProxy } from "./tcp-proxy.js";
import { describeTransports } from "./transports.js";

/** A request whose last line break has not been sent yet. */
async function halfRequest(url: string, path: string): Promise<{ finish(): Promise<string> }> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n`);
  return {
    async finish() {
      socket.write("\r\n");
      const [answer] = await once(socket, "data");
      socket.destroy();
      return String(answer).split("\r\n")[0] ?? "";
    },
  };
}

let database: Record<string, string>;
beforeAll(async () => {
  database = await quickDatabase();
});

describeTransports((transport) => {
  it("ends in good order on SIGTERM: batch by batch, with what is under way", async () => {
    const env = { ...database, TRANSPORT: transport, DRAIN_WINDOW: "1500", SHUTDOWN_DEADLINE: "20000" };
    const server = await startServer({ env });
    const [before, after] = await Promise.all([halfRequest(server.url, "/readyz"), halfRequest(server.url, "/readyz")]);
    const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket(`${server.url}/ws/login/`)));
    const body = '{"username":"nobody","password":"nothing"}';
    const login = request(`${server.url}/api/login`, {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": body.length },
    });
    const answered = once(login, "response") as Promise<[IncomingMessage]>;
    await new Promise((resolve) => login.write(body.slice(0, 10), resolve));
    // What came before it has been read when this is answered.
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await before.finish()).toBe("HTTP/1.1 200 OK");

    server.process.kill("SIGTERM");
    await Promise.race(sockets.map((socket) => socket.closed()));
    const open = sockets.filter(({ raw }) => raw.readyState === raw.OPEN);
    const [last] = open.slice(-1);
    last?.send({ username: "nobody", password: "nothing" });
    expect(await last?.next()).toEqual({ status: "error", message: "Invalid credentials" });
    expect(await after.finish()).toBe("HTTP/1.1 503 Service Unavailable");
    await expect(halfRequest(server.url, "/")).rejects.toThrow("ECONNREFUSED");
    login.end(body.slice(10));
    expect((await answered)[0].statusCode).toBe(400);

    const codes = await Promise.all(sockets.map(async (socket) => (await socket.closed()).code));
    expect(codes.filter((code) => code !== 1012)).toEqual([4401]);
    expect(await server.ended).toBe(0);
    expect(server.log().filter(({ msg, code }) => msg === "close" && code === 1012)).toHaveLength(19);
    expect(server.log().at(-1)).toMatchObject({ msg: "stopped" });
  });

  it("ends at once on a second signal", async () => {
    const server = await startServer({ env: { ...database, TRANSPORT: transport, DRAIN_WINDOW: "5000" } });
    const sockets = await Promise.all(Array.from({ length: 5 }, () => openSocket(`${server.url}/ws/login/`)));
    server.process.kill("SIGINT");
    await Promise.race(sockets.map((socket) => socket.closed()));
    server.process.kill("SIGTERM");
    expect(await server.ended).toBe(1);
    const codes = await Promise.all(sockets.map(async (socket) => (await socket.closed()).code));
    expect(codes).toContain(1006);
  });
});

it("lives through a rejected promise that nobody awaits, and logs it once", async () => {
  const server = await startServer({ env: database, imports: ["reject-on-signal.mjs"] });
  server.process.kill("SIGUSR2");
  await server.logged(({ level }) => level === 50);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect(server.log().filter(({ level }) => level === 50)).toEqual([
    expect.objectContaining({ err: expect.objectContaining({ message: "left alone" }) }),
  ]);
  // Nor does it mind that nobody reads its log any more.
  server.process.stdout?.destroy();
  for (let index = 0; index < 50; index++) expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect(await server.stop()).toBe(0);
});

it("ends in good order, but not with 0, after an error that nothing caught", async () => {
  const server = await startServer({ env: database, imports: ["throw-on-signal.mjs"] });
  const socket = await openSocket(`${server.url}/ws/login/`);
  server.process.kill("SIGUSR2");
  expect(await socket.closed()).toMatchObject({ code: 1012 });
  expect(await server.ended).toBe(1);
  expect(server.log().filter(({ level }) => level === 50)).toEqual([
    expect.objectContaining({ err: expect.objectContaining({ message: "out of nowhere" }) }),
  ]);
});

it.runIf(process.platform === "linux")("serves on when the disk of its log is full", async () => {
  const [directory, full, port] = await Promise.all([temporaryDirectory(), open("/dev/full", "w"), freePort()]);
  const child = keepTrackOf(
    spawn(process.execPath, nodeArguments(["serve"]), {
      env: { PATH: process.env.PATH, PORT: `${port}`, DATA_DIR: directory.path, ...database },
      stdio: ["ignore", full.fd, "inherit"],
    }),
  );
  const ended = once(child, "exit");
  const healthy = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  // Its log cannot tell when it listens.
  while (!(await healthy()) && child.exitCode === null) await wait(50);
  for (let index = 0; index < 50; index++) expect(await healthy()).toBe(true);
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  await full.close();
  await directory.remove();
});

describePostgres(() => {
  it("ends by the deadline, with 0, when the database does not answer", async () => {
    const proxy = await tcpProxy(await freshDatabase());
    const server = await startServer({
      env: { DATABASE_URL: proxy.url, SECRET_KEY: "x".repeat(32), SHUTDOWN_DEADLINE: "500" },
    });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    proxy.freeze();
    // A statement under way is what closing waits for.
    const stuck = fetch(`${server.url}/api/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"username":"nobody","password":"nothing"}',
    });
    await fetch(`${server.url}/healthz`);
    expect(await server.stop()).toBe(0);
    expect((await stuck).status).toBe(503);
    expect(server.log().at(-1)).toMatchObject({ msg: "not everything was closed before the deadline" });
    await proxy.close();
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}
