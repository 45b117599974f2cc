import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { request as secureRequest } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import WebSocket from "ws";
import { member } from "./client.js";
import { quickDatabase } from "./quick-database.js";
import { sluice, startServer, temporaryDirectory } from "./server-process.js";
import { openSocket } from "./socket.js";
import { describeTransports } from "./transports.js";

const certificate = {
  TLS_KEY: fileURLToPath(new URL("../../../packages/transport-uws/test/localhost.key.pem", import.meta.url)),
  TLS_CERT: fileURLToPath(new URL("../../../packages/transport-uws/test/localhost.cert.pem", import.meta.url)),
};

let database: Record<string, string>;
beforeAll(async () => {
  // Its servers share one, in which the failed logins of all of them are counted.
  database = { ...(await quickDatabase()), MAX_LOGIN_DELAY: "0" };
});

/** The status and the body of a response. */
async function answer(sent: ReturnType<typeof request>): Promise<[status: number | undefined, body: string]> {
  const [response] = (await once(sent.end(), "response")) as [IncomingMessage];
  return [response.statusCode, await text(response)];
}

/** What the first message of a login that fails is answered with. */
async function refusedLogin(socket: WebSocket): Promise<string> {
  await once(socket, "open");
  socket.send('{"username":"nobody","password":"nothing"}');
  const [message] = await once(socket, "message");
  return String(message);
}

const ready = [200, '{"status":"ready"}'];
const refused = '{"status":"error","message":"Invalid credentials"}';

describeTransports((transport) => {
  it("TLS carries requests and WebSockets", async () => {
    const server = await startServer({ env: { ...database, ...certificate, TRANSPORT: transport } });
    expect(server.url).toMatch(/^https:/);
    const unverified = { rejectUnauthorized: false };
    expect(await answer(secureRequest(`${server.url}/readyz`, unverified))).toEqual(ready);
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws/login/`, unverified);
    expect(await refusedLogin(socket)).toBe(refused);
    expect(await server.stop()).toBe(0);
  });

  it("a Unix socket carries requests and WebSockets, and is free for the next server", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory.path, "sluice.sock");
    const env = { ...database, UNIX_SOCKET: path, TRANSPORT: transport };
    const first = await startServer({ env });
    expect(first.url).toBe(`unix:${path}`);
    const inUse = await sluice(["serve"], { ...env, DATA_DIR: directory.path });
    expect([inUse.code, inUse.stderr]).toEqual([
      1,
      `sluice: ${path} is in use; stop what listens there, or set UNIX_SOCKET\n`,
    ]);
    await first.kill();

    const server = await startServer({ env });
    expect(await answer(request({ socketPath: path, path: "/readyz" }))).toEqual(ready);
    expect(await refusedLogin(new WebSocket(`ws+unix://${path}:/ws/login/`))).toBe(refused);
    expect(await server.stop()).toBe(0);
    await directory.remove();
  });

  it("what proxies say of a client counts where they are trusted; the root path is no part of a route", async () => {
    const env = { ...database, TRANSPORT: transport, ROOT_PATH: "/app", TRUSTED_PROXIES: "127.0.0.1, 10.0.0.0/8" };
    const server = await startServer({ env });
    const { token } = await member(`${server.url}/app`, `ada.${transport}`);
    const headers = { "x-forwarded-for": "198.51.100.7, 192.0.2.1, 10.1.2.3" };
    for (const root of ["/app", ""]) {
      const path = `${server.url}${root}`;
      expect((await fetch(`${path}/api/me`, { headers: { ...headers, authorization: `Token ${token}` } })).status).toBe(
        200,
      );
      const socket = await openSocket(`${path}/?token=${token}`, { headers });
      await socket.close();
      expect((await fetch(`${path}/ws/auth/ada/s3cret/`)).status).toBe(404);
    }
    expect((await fetch(`${server.url}/apple/healthz`)).status).toBe(404);
    await server.until(() => server.log().filter(({ msg }) => msg === "close").length === 2);
    const clients = server.log().flatMap(({ user, client }) => (user === undefined ? [] : [client]));
    expect(clients).toEqual(Array.from({ length: 6 }, () => "192.0.2.1"));
    expect(server.output()).not.toContain("s3cret");
    expect(await server.stop()).toBe(0);
  });

  it("what anybody else says of a client does not count", async () => {
    const server = await startServer({ env: { ...database, TRANSPORT: transport, TRUSTED_PROXIES: "10.0.0.0/8" } });
    const headers = { "x-forwarded-for": "192.0.2.1", forwarded: "for=192.0.2.1" };
    expect((await fetch(`${server.url}/healthz`, { headers })).status).toBe(200);
    expect(await server.logged(({ msg }) => msg === "request")).toMatchObject({ client: "127.0.0.1" });
    expect(await server.stop()).toBe(0);
  });

  it("messages are compressed for who asks, where that is switched on", async () => {
    for (const [flag, extensions] of [
      ["true", "permessage-deflate"],
      ["false", ""],
    ] as const) {
      const server = await startServer({ env: { ...database, TRANSPORT: transport, COMPRESSION: flag } });
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws/login/`);
      expect(await refusedLogin(socket)).toBe(refused);
      expect(socket.extensions).toBe(extensions);
      expect(await server.stop()).toBe(0);
    }
  });
});

it("a proxy that is no address, and a certificate that is no file, are told of in one line", async () => {
  const env = { ...database, PORT: "0", TRANSPORT: "node" };
  for (const [added, line] of [
    [{ TRUSTED_PROXIES: "10.0.0.0/33" }, /^sluice: TRUSTED_PROXIES: .*10\.0\.0\.0\/33.*\n$/],
    [{ TLS_KEY: "/no/such/key.pem", TLS_CERT: certificate.TLS_CERT }, /^sluice: .*\/no\/such\/key\.pem.*\n$/],
  ] as const) {
    const { code, stderr } = await sluice(["serve"], { ...env, ...added });
    expect(code).toBe(1);
    expect(stderr).toMatch(line);
  }
});
