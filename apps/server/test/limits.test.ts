import { once } from "node:events";
import { beforeAll, expect, it } from "vitest";
import WebSocket from "ws";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { member, post } from "./client.js";
import { quickDatabase } from "./quick-database.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, refusedWith, type Socket } from "./socket.js";
import { tcpProxy } from "./tcp-proxy.js";
import { available, describeTransports, type TransportName } from "./transports.js";

/** How a handshake is refused. */
async function refusal(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly retryAfter: string | undefined }> {
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  const [, response] = await once(socket, "unexpected-response");
  socket.on("error", () => {});
  socket.terminate();
  return { status: response.statusCode, retryAfter: response.headers["retry-after"] };
}

let own: Record<string, string>;
beforeAll(async () => {
  own = await quickDatabase();
});

async function withServer(env: Record<string, string>, use: (server: ServerProcess) => Promise<void>): Promise<void> {
  const server = await startServer({ env: { ...own, ...env } });
  await use(server);
  expect(await server.stop()).toBe(0);
  expect(server.log().filter(({ level }) => level === 50)).toEqual([]);
}

describeTransports((transport) => {
  it("of sizes: 1009 for a message, 413 for a body, 431 for headers", async () => {
    const sizes = { MAX_MESSAGE_SIZE: "1000", MAX_BODY_SIZE: "500", MAX_HEADER_SIZE: "2000", MAX_HEADERS: "20" };
    await withServer({ TRANSPORT: transport, ...sizes }, async ({ url }) => {
      const socket = await openSocket(`${url}/ws/auth/`);
      socket.raw.send("x".repeat(1000));
      expect(await socket.next()).toMatchObject({ code: "bad_message" });
      socket.raw.send("x".repeat(1001));
      expect(await socket.closed()).toMatchObject({ code: 1009 });

      expect((await post(`${url}/api/login`, `"${"x".repeat(498)}"`)).status).toBe(400);
      expect((await post(`${url}/api/login`, `"${"x".repeat(499)}"`)).status).toBe(413);
      const healthz = async (headers: Record<string, string>) => (await fetch(`${url}/healthz`, { headers })).status;
      expect(await healthz({ "x-long": "x".repeat(1_500) })).toBe(200);
      expect(await healthz({ "x-long": "x".repeat(2_000) })).toBe(431);
      const lines = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, "x"]));
      expect(await healthz(lines(8))).toBe(200);
      expect(await healthz(lines(20))).toBe(431);
      expect(await refusedWith(`${url}/ws/login/`, { headers: lines(20) })).toBe(431);
    });
  });

  it("of connections, in all and from one address: 503 and Retry-After, until there is room again", async () => {
    const limits = { MAX_CONNECTIONS: "4", MAX_CONNECTIONS_PER_ADDRESS: "3", TRUSTED_PROXIES: "127.0.0.1" };
    await withServer({ TRANSPORT: transport, ...limits }, async (server) => {
      const path = `${server.url}/ws/login/`;
      const from = (client: string) => ({ "x-forwarded-for": client });
      const open = (client: string) => openSocket(path, { headers: from(client) });
      const full = { status: 503, retryAfter: "1" };
      const three = [await open("192.0.2.1"), await open("192.0.2.1"), await open("192.0.2.1")];
      expect(await refusal(path, from("192.0.2.1"))).toEqual(full);
      three.push(await open("192.0.2.2"));
      expect(await refusal(path, from("192.0.2.3"))).toEqual(full);
      const request = await fetch(`${server.url}/readyz`, { headers: from("192.0.2.3") });
      expect([request.status, request.headers.get("retry-after")]).toEqual([503, "1"]);
      await three.shift()?.close();
      await server.logged(({ msg }) => msg === "close");
      three.push(await open("192.0.2.1"));
      await Promise.all(three.map((socket) => socket.close()));
    });
  });

  it("of what waits for a busy application", async () => {
    await withServer({ TRANSPORT: transport, MAX_INBOX_MESSAGES: "5" }, async ({ url }) => {
      const socket = await openSocket(`${url}/ws/auth/`);
      const login = JSON.stringify({ type: "login", data: { user_name: "nobody", password: "x" } });
      for (let count = 0; count < 20; count++) socket.raw.send(login);
      // Either stops reading or gives up: neither keeps what it has no room for.
      if (transport === "uws") expect(await socket.closed()).toMatchObject({ code: 1013 });
      else for (let count = 0; count < 20; count++) expect(await socket.next()).toMatchObject({ type: "error" });
      socket.raw.terminate();
    });
  });

  it("of what a client and a user may send, and of a user's connections: 4429, 429", async () => {
    const rates = {
      MAX_MESSAGES_PER_SECOND: "20",
      MAX_MESSAGES_PER_SECOND_PER_USER: "2",
      MAX_CONNECTIONS_PER_USER: "2",
    };
    await withServer({ TRANSPORT: transport, ...rates }, async (server) => {
      const tooMany = { code: 4429, reason: "too many messages" };
      const burst = (socket: Socket, count: number) => {
        for (let sent = 0; sent < count; sent++) socket.raw.send("x");
      };
      const stranger = await openSocket(`${server.url}/ws/auth/`);
      burst(stranger, 300);
      expect(await stranger.closed()).toEqual(tooMany);

      const { token } = await member(server.url, `eager.${transport}`);
      const path = `${server.url}/?token=${token}`;
      const [one, two] = [await openSocket(path), await openSocket(path)];
      expect(await refusal(path)).toEqual({ status: 429, retryAfter: "1" });
      // Neither is too much by itself.
      burst(one, 30);
      burst(two, 30);
      expect(await Promise.race([one.closed(), two.closed()])).toEqual(tooMany);
      one.raw.terminate();
      two.raw.terminate();
    });
  });

  it("of a WebSocket's life: 4408", async () => {
    await withServer({ TRANSPORT: transport, MAX_LIFETIME: "300" }, async ({ url }) => {
      expect(await (await openSocket(`${url}/ws/login/`)).closed()).toMatchObject({ code: 4408 });
    });
  });
});

it("of silence, on each transport: a client that answers no ping is cut, one that does stays", async () => {
  async function watch(transport: TransportName): Promise<void> {
    await withServer({ TRANSPORT: transport, IDLE_TIMEOUT: "8" }, async (server) => {
      const [{ token: silent }, { token: alive }] = await Promise.all([
        member(server.url, `silent.${transport}`),
        member(server.url, `alive.${transport}`),
      ]);
      const quiet = new WebSocket(`${server.url.replace("http", "ws")}/?token=${silent}`, { autoPong: false });
      const cut = once(quiet, "close");
      const answering = await openSocket(`${server.url}/?token=${alive}`);
      expect((await cut)[0]).toBe(1006);
      await server.logged(({ msg, user, code }) => msg === "close" && user === `silent.${transport}` && code === 1006);
      answering.send({ command: "Say hello !" });
      expect(await answering.next()).toMatchObject({ data_string_back: null });
      await answering.close();
    });
  }
  await Promise.all(available.map(watch));
});

describePostgres(() => {
  describeTransports((transport) => {
    it("of time, and of handshakes in a second: held to while the database hangs", async () => {
      const database = await tcpProxy(await freshDatabase());
      const env = {
        DATABASE_URL: database.url,
        SECRET_KEY: "x".repeat(32),
        HANDSHAKE_TIMEOUT: "400",
        HTTP_TIMEOUT: "400",
        MAX_HANDSHAKES_PER_SECOND: "1",
      };
      await withServer({ TRANSPORT: transport, ...env }, async (server) => {
        database.freeze();
        const attempts = Array.from({ length: 3 }, () => refusal(`${server.url}/?token=${"a".repeat(43)}`));
        // One waits for the database in vain; the others were not let near it.
        expect(await Promise.race(attempts)).toEqual({ status: 503, retryAfter: "1" });
        const statuses = (await Promise.all(attempts)).map(({ status }) => status);
        expect(statuses.sort()).toEqual([503, 503, 504]);
        expect((await post(`${server.url}/api/login`, { username: "a", password: "b" })).status).toBe(503);
        database.thaw();
        expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      });
      // Only now: a query that was given up may still be on its way, and would fail.
      await database.close();
    });
  });
});
