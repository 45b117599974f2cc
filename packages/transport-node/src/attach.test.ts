import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type App, ConfigurationError, path, silentLogger, URLRouter } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { tlsFiles } from "@sluice/testing/contract";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { handshake, RawClient, request } from "../test/raw-client.js";
import { compose, echo } from "../test/start.js";
import { type AttachedApplication, type AttachOptions, attach, type HostServer } from "./attach.js";

/** A server of somebody else's. */
async function listen(
  host: HostServer = createServer((_request, response) => response.end("the host's")),
): Promise<number> {
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  onTestFinished(() => void (host as HttpServer).closeAllConnections());
  onTestFinished(() => void host.close());
  return (host.address() as AddressInfo).port;
}

async function mount(
  host: HostServer,
  ...[app, options]:
    | [app: App<"websocket" | "lifespan">, options?: Partial<AttachOptions>]
    | [app: App<"websocket">, options: Partial<AttachOptions> & { readonly lifespan: false }]
): Promise<AttachedApplication> {
  // One of the two ways to call it, which the signature above makes sure of.
  const attached = await attach(host, app as App, { logger: silentLogger, ...options });
  onTestFinished(() => attached.close({ deadline: 0 }));
  return attached;
}

/** The first line of the answer to a handshake. */
async function statusOf(port: number, path: string): Promise<string> {
  const client = await RawClient.send(port, handshake(path));
  const answer = await client.until("\r\n\r\n").catch(() => client.rest());
  return answer.slice(0, "HTTP/1.1 101".length);
}

const onlyWebSockets = compose({ websocket: echo });

describe("an application beside a server's own requests", () => {
  it("has the WebSockets, and leaves the requests", async () => {
    const host = createServer((_request, response) => response.end("the host's"));
    const port = await listen(host);
    const attached = await mount(host, onlyWebSockets);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/anywhere`);
    await once(socket, "open");
    socket.send("hello");
    expect(String((await once(socket, "message"))[0])).toBe("hello");
    expect(attached.connections).toEqual({ http: 0, websocket: 1 });
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("the host's");
    expect(attached.counts).toEqual({ slowConsumers: 0, fullInboxes: 0, refused: 0 });
  });

  it("knows of TLS and of the address", async () => {
    const seen: unknown[] = [];
    const app = compose({
      websocket: async ({ scheme, server, client }, _receive, send) => {
        seen.push(scheme, server, client?.host);
        await send({ type: "websocket.close" });
      },
    });
    const host = createServer();
    const port = await listen(host);
    await mount(host, app);
    expect(await statusOf(port, "/")).toBe("HTTP/1.1 403");
    expect(seen).toEqual(["ws", { host: "127.0.0.1", port }, "127.0.0.1"]);
    const files = await tlsFiles();
    const secure = createSecureServer({ key: await readFile(files.key), cert: await readFile(files.cert) });
    await mount(secure, app);
    const socket = new WebSocket(`wss://127.0.0.1:${await listen(secure)}`, { rejectUnauthorized: false });
    await once(socket, "unexpected-response");
    expect(seen[3]).toBe("wss");
  });

  it.each([
    ["/ws/", "/ws/chat", "101"],
    ["/ws/", "/ws/", "101"],
    ["/ws/", "/ws", "404"],
    ["/ws/", "/wsx", "404"],
    ["/ws", "/ws", "101"],
    ["/ws", "/ws?a=b", "101"],
    ["/ws", "/ws/chat", "101"],
    ["/ws", "/wsx", "404"],
    ["/", "/anything", "101"],
  ])("at %s answers a WebSocket at %s with %s", async (path, url, status) => {
    const host = createServer();
    const port = await listen(host);
    await mount(host, onlyWebSockets, { path });
    expect(await statusOf(port, url)).toBe(`HTTP/1.1 ${status}`);
  });

  it("leaves other paths to others who listen", async () => {
    const host = createServer();
    const port = await listen(host);
    await mount(host, onlyWebSockets, { path: "/ws/" });
    host.on("upgrade", ({ url }, socket) => {
      if (url === "/other") socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n");
    });
    expect(await statusOf(port, "/other")).toBe("HTTP/1.1 418");
    expect(await statusOf(port, "/ws/")).toBe("HTTP/1.1 101");
  });

  it("may have others like it, each at its path", async () => {
    const host = createServer();
    const port = await listen(host);
    const deny = compose({ websocket: (_scope, _receive, send) => send({ type: "websocket.close" }) });
    const first = await mount(host, onlyWebSockets, { path: "/a" });
    await mount(host, deny, { path: "/b" });
    expect(await statusOf(port, "/a")).toBe("HTTP/1.1 101");
    expect(await statusOf(port, "/b")).toBe("HTTP/1.1 403");
    expect(await statusOf(port, "/c")).toBe("HTTP/1.1 404");
    await first.close();
    expect(await statusOf(port, "/a")).toBe("HTTP/1.1 404");
    expect(await statusOf(port, "/b")).toBe("HTTP/1.1 403");
  });

  it("answers what asks for another protocol with 400", async () => {
    const host = createServer();
    const port = await listen(host);
    await mount(host, onlyWebSockets);
    const client = await RawClient.send(port, request(["Connection: Upgrade", "Upgrade: h2c"]));
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it.each([
    ["a WebSocket", "/ws/", []],
    ["a WebSocket at no path of its own", "/elsewhere", []],
    ["another protocol", "/", ["Connection: Upgrade", "Upgrade: h2c"]],
  ])("lets %s overtake no response of the host's", async (_what, path, lines) => {
    let answer: (() => void) | undefined;
    const host = createServer((_request, response) => {
      answer = () => response.end("the host's");
    });
    const port = await listen(host);
    const attached = await mount(host, onlyWebSockets, { path: "/ws/" });
    const client = await RawClient.send(port, request());
    await expect.poll(() => answer).toBeDefined();
    client.write(lines.length === 0 ? handshake(path) : request(lines));
    expect(await client.rest()).toBe("");
    expect(attached.connections.websocket).toBe(0);
  });

  it("takes a WebSocket after a response on the same connection", async () => {
    const host = createServer((_request, response) => response.end("the host's"));
    const port = await listen(host);
    await mount(host, onlyWebSockets);
    const client = await RawClient.send(port, request());
    await client.until("the host's");
    client.write(handshake());
    expect(await client.until("\r\n\r\n")).toContain("the host'sHTTP/1.1 101");
  });

  it("outlives what fails around it, and costs the host nothing", async () => {
    const host = createServer((_request, response) => response.end("the host's"));
    const port = await listen(host);
    const logger = new RecordingLogger();
    const clock = {
      now: () => Date.now(),
      after: (): never => {
        throw new Error("no clock");
      },
    };
    await attach(host, onlyWebSockets, { logger, clock });
    expect(await (await RawClient.send(port, handshake())).rest()).toBe("");
    expect(logger.errors).toContainEqual(new Error("no clock"));
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("the host's");
  });
});

describe("the lifespan", () => {
  const lifespan = (log: string[]): App<"lifespan"> => {
    return async (scope, receive, send) => {
      await receive();
      scope.state.greeting = "hello";
      log.push("started");
      await send({ type: "lifespan.startup.complete" });
      await receive();
      log.push("stopped");
      await send({ type: "lifespan.shutdown.complete" });
    };
  };

  it("begins before the first WebSocket and ends with close(), which lets the host close", async () => {
    const log: string[] = [];
    const host = createServer();
    const port = await listen(host);
    const attached = await mount(
      host,
      compose({
        lifespan: lifespan(log),
        websocket: async (scope, receive, send) => {
          await send({ type: "websocket.accept" });
          await send({ type: "websocket.send", text: String(scope.state.greeting) });
          await receive.pipe((event) => void (event.type === "websocket.disconnect" && log.push(String(event.code))));
        },
      }),
    );
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    expect(String((await once(socket, "message"))[0])).toBe("hello");
    const closed = once(socket, "close");
    await Promise.all([attached.close(), attached.close()]);
    expect((await closed)[0]).toBe(1012);
    expect(log).toEqual(["started", "1012", "stopped"]);
    host.close();
    await once(host, "close");
  });

  it("that fails to begin leaves the host as it was", async () => {
    const host = createServer();
    const app = compose({ lifespan: () => Promise.reject(new Error("no database")) });
    await expect(attach(host, app, { logger: silentLogger })).rejects.toThrow("no database");
    expect(host.listenerCount("upgrade")).toBe(0);
  });

  it("is not asked of an application that is said to have none", async () => {
    const host = createServer();
    const port = await listen(host);
    const rooms = URLRouter([path("ws/<slug:room>/", echo)]);
    const attached = await mount(host, rooms, { lifespan: false });
    expect(await statusOf(port, "/ws/lobby/")).toBe("HTTP/1.1 101");
    expect(await statusOf(port, "/elsewhere")).toBe("HTTP/1.1 404");
    await attached.close();
  });

  it("over, requests to upgrade are the host's again", async () => {
    const host = createServer((_request, response) => response.end("the host's"));
    const port = await listen(host);
    const attached = await mount(host, onlyWebSockets);
    await attached.close();
    expect(host.listenerCount("upgrade")).toBe(0);
    expect(host.listenerCount("request")).toBe(1);
    expect(await statusOf(port, "/")).toBe("HTTP/1.1 200");
  });
});

it("keeps the limits", async () => {
  const host = createServer();
  const port = await listen(host);
  const attached = await mount(host, onlyWebSockets, { limits: { maxConnections: 1, maxMessageSize: 10 } });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "open");
  expect(await statusOf(port, "/")).toBe("HTTP/1.1 503");
  expect(attached.counts.refused).toBe(1);
  socket.send("x".repeat(11));
  expect((await once(socket, "close"))[0]).toBe(1009);
});

it.each<[Partial<AttachOptions>, string]>([
  [{ path: "ws" }, 'expected path to begin with a slash, got "ws"'],
  [{ idleTimeout: 1 }, "expected idleTimeout to be"],
  [{ limits: { maxMessageSize: 2 ** 30 } }, "expected limits.maxMessageSize to be at most"],
])("refuses the options %o", async (options, message) => {
  const attached = attach(createServer(), onlyWebSockets, { logger: silentLogger, ...options });
  await expect(attached).rejects.toBeInstanceOf(ConfigurationError);
  await expect(attached).rejects.toThrow(message);
});
