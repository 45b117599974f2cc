import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { get, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { member } from "./client.js";
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
    // So long that no slow machine gets from one batch to the next: the clients below do not wait for their turn.
    const env = { ...database, TRANSPORT: transport, DRAIN_WINDOW: "90000", SHUTDOWN_DEADLINE: "100000" };
    const server = await startServer({ env });
    const [before, after] = await Promise.all([halfRequest(server.url, "/readyz"), halfRequest(server.url, "/readyz")]);
    const sockets = await Promise.all(Array.from({ length: 3 }, () => openSocket(`${server.url}/ws/login/`)));
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
    const [one, other, ...more] = sockets.filter(({ raw }) => raw.readyState === raw.OPEN);
    expect(more).toEqual([]);
    one?.send({ username: "nobody", password: "nothing" });
    expect(await one?.next()).toEqual({ status: "error", message: "Invalid credentials" });
    expect(await after.finish()).toBe("HTTP/1.1 503 Service Unavailable");
    await expect(halfRequest(server.url, "/")).rejects.toThrow("ECONNREFUSED");
    login.end(body.slice(10));
    expect((await answered)[0].statusCode).toBe(400);

    other?.raw.close(1000);
    const codes = await Promise.all(sockets.map(async (socket) => (await socket.closed()).code));
    expect(codes.sort()).toEqual([1000, 1012, 4401]);
    expect(await server.ended).toBe(0);
    expect(server.log().at(-1)).toMatchObject({ msg: "stopped" });
  });

  it("closes every WebSocket in the window", async () => {
    const server = await startServer({ env: { ...database, TRANSPORT: transport, DRAIN_WINDOW: "200" } });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket(`${server.url}/ws/login/`)));
    expect(await server.stop()).toBe(0);
    const codes = await Promise.all(sockets.map(async (socket) => (await socket.closed()).code));
    expect(codes).toEqual(Array.from({ length: 20 }, () => 1012));
    expect(server.log().filter(({ msg, code }) => msg === "close" && code === 1012)).toHaveLength(20);
    expect(server.log().at(-1)).toMatchObject({ msg: "stopped" });
  });

  it("ends at once on a second signal", async () => {
    const server = await startServer({ env: { ...database, TRANSPORT: transport, DRAIN_WINDOW: "9000" } });
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

it("serves on, and ends in good order, while nobody reads its log; who reads again finds whole lines", async () => {
  const server = await startServer({ env: database });
  const log = server.process.stdout;
  // The longest line that a client can have is the one that has the longest name in it.
  const { token } = await member(server.url, "\u5b57".repeat(150));
  const ask = async (times: number): Promise<void> => {
    for (let asked = 0; asked < times; asked += 20) {
      const headers = { authorization: `Bearer ${token}` };
      const answers = Array.from({ length: 20 }, async () => (await fetch(`${server.url}/api/me`, { headers })).json());
      await Promise.all(answers);
    }
  };
  const logged = (path: string) => server.log().filter(({ route }) => route === path);
  log?.pause();
  // More than any pipe takes, and more than is kept for one.
  await ask(2_500);
  log?.resume();
  // What comes before there is room again is lost.
  while (logged("/healthz").length === 0) await fetch(`${server.url}/healthz`);
  const unread = logged("/api/me");
  expect(unread.length).toBeGreaterThan(1_000);
  expect(unread.length).toBeLessThan(2_500);

  log?.pause();
  await ask(2_500);
  expect(await server.stop()).toBe(0);
});

it.runIf(process.platform === "linux")("serves on when the disk of its log is full", async () => {
  const [directory, full] = await Promise.all([temporaryDirectory(), open("/dev/full", "w")]);
  const socketPath = join(directory.path, "sluice.sock");
  const child = keepTrackOf(
    // Its log cannot tell when it listens.
    spawn(process.execPath, nodeArguments(["serve"], ["tell-when-listening.mjs"]), {
      env: {
        PATH: process.env.PATH,
        UNIX_SOCKET: socketPath,
        DATA_DIR: directory.path,
        TRANSPORT: "node",
        ...database,
      },
      stdio: ["ignore", full.fd, "inherit", "ipc"],
    }),
  );
  const ended = once(child, "exit");
  expect(await once(child, "message")).toEqual(["listening", undefined]);
  for (let index = 0; index < 50; index++) {
    const [response] = (await once(get({ socketPath, path: "/healthz" }), "response")) as [IncomingMessage];
    expect(response.resume().statusCode).toBe(200);
  }
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
