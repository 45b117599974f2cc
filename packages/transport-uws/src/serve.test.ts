import { once } from "node:events";
import { get } from "node:https";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type App, ConfigurationError, type Protocol, silentLogger, systemClock } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { skipWithoutBinary } from "../test/skip-without-binary.js";
import type { ServeOptions } from "./options.js";
import { type Server, serve } from "./serve.js";

beforeEach(skipWithoutBinary);

const certificate = {
  key: fileURLToPath(new URL("../test/localhost.key.pem", import.meta.url)),
  cert: fileURLToPath(new URL("../test/localhost.cert.pem", import.meta.url)),
};

async function start(
  applications: { readonly [P in Protocol]?: App<P> },
  options: Partial<ServeOptions> = {},
): Promise<Server> {
  const app: App = (scope, receive, send) => (applications[scope.type] as App | undefined)?.(scope, receive, send);
  const server = await serve(app, { port: 0, logger: silentLogger, ...options });
  onTestFinished(() => server.close({ deadline: 0 }));
  return server;
}

/** Answers with what `answer` makes of the scope. */
const telling = (answer: (scope: Parameters<App<"http">>[0]) => unknown): App<"http"> => {
  return async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: JSON.stringify(answer(scope)) });
  };
};

/** What comes back, segment by segment, until the server ends the connection or `done` says so. */
async function talk(port: number, bytes: string, done: (all: string) => boolean = () => false): Promise<string[]> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  const segments: string[] = [];
  socket.write(bytes, "latin1");
  for await (const segment of socket) {
    segments.push((segment as Buffer).toString("latin1"));
    if (done(segments.join(""))) break;
  }
  return segments;
}

const request = (lines: readonly string[] = [], method = "GET"): string =>
  [`${method} / HTTP/1.1`, "Host: test.example", ...lines, "", ""].join("\r\n");

const handshake = request([
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
]);

describe("TLS", () => {
  it("carries requests and WebSockets", async () => {
    const server = await start(
      {
        http: telling(({ scheme }) => scheme),
        websocket: async (scope, receive, send) => {
          await send({ type: "websocket.accept" });
          await send({ type: "websocket.send", text: scope.scheme });
          await receive.pipe(() => {});
        },
      },
      { tls: certificate },
    );
    expect(server.url).toBe(`https://127.0.0.1:${server.port}`);
    const [response] = await once(get(server.url, { rejectUnauthorized: false }), "response");
    expect(await text(response)).toBe('"https"');
    const socket = new WebSocket(server.url, { rejectUnauthorized: false });
    onTestFinished(() => socket.terminate());
    const [message] = await once(socket, "message");
    expect(String(message)).toBe("wss");
  });

  it("needs files that can be read, and names those that cannot", async () => {
    const started = serve(() => {}, {
      port: 0,
      logger: silentLogger,
      tls: { ...certificate, key: "/no/such/key.pem" },
    });
    await expect(started).rejects.toBeInstanceOf(ConfigurationError);
    await expect(started).rejects.toThrow("/no/such/key.pem");
  });
});

describe("addresses", () => {
  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

  it("may be IPv6", async (context) => {
    context.skip(!hasIpv6, "this machine has no ::1");
    const server = await start({ http: telling(({ client }) => client?.host) }, { host: "::1" });
    expect(server.url).toBe(`http://[::1]:${server.port}`);
    expect(await (await fetch(server.url)).json()).toBe("::1");
  });

  it("that cannot be listened on are named with the system's reason", async () => {
    await expect(serve(() => {}, { port: 0, logger: silentLogger, host: "192.0.2.1" })).rejects.toMatchObject({
      code: "EADDRNOTAVAIL",
      message: "cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL)",
    });
  });
});

it("serves with the module handed in", async () => {
  const server = await start({ http: telling(() => "ok") }, { uws: await import("uWebSockets.js") });
  expect(await (await fetch(server.url)).json()).toBe("ok");
});

it("sends a handshake's answer of a later tick in one piece, with what follows in the next", async () => {
  const server = await start({
    websocket: async (_scope, receive, send) => {
      await new Promise((resolve) => setImmediate(resolve));
      await send({ type: "websocket.accept", headers: Array.from({ length: 20 }, (_, i) => [`x-${i}`, "y"] as const) });
      await send({ type: "websocket.send", text: "hello" });
      await receive.pipe(() => {});
    },
  });
  const segments = await talk(server.port, handshake, (all) => all.endsWith("hello"));
  expect(segments.length).toBeLessThanOrEqual(2);
  expect(segments[0]).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\n/s);
});

describe("a message above the limit", () => {
  it.each([
    ["within the native limit", 20_000, 1009],
    ["above the native limit", 20_001, 1006],
  ])("%s ends the connection with %3$i", async (_what, size, code) => {
    const ended = new Promise<number>((resolve) => {
      void start(
        {
          websocket: async (_scope, receive, send) => {
            await send({ type: "websocket.accept" });
            await receive.pipe((event) => (event.type === "websocket.disconnect" ? resolve(event.code) : undefined));
          },
        },
        { limits: { maxMessageSize: 10_000 } },
      ).then(({ url }) => {
        const socket = new WebSocket(url);
        socket.on("open", () => socket.send(Buffer.alloc(size)));
        socket.on("error", () => {});
      });
    });
    expect(await ended).toBe(code);
  });
});

describe("bytes beyond ASCII in a header value", () => {
  it("are Latin-1 where they were UTF-8 within the value", async () => {
    const server = await start({ http: telling(({ headers }) => headers.at(-1)) });
    const answer = await talk(server.port, request(["X-Name: Zo\xc3\xab!"]), (all) => all.includes("]"));
    expect(answer.join("")).toContain(Buffer.from('["x-name","ZoÃ«!"]').toString("latin1"));
  });

  it("are refused where they were not", async () => {
    const server = await start({ http: telling(() => "served") });
    const answer = await talk(server.port, request(["X-Name: Zo\xeb!"]), (all) => all.endsWith("\n"));
    expect(answer.join("")).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe("what the native side cuts", () => {
  it.each([
    ["a request that comes before the response to the one before it", request() + request(), false],
    ["a client that sends no more", request(), true],
  ])("%s: the application is told", async (_what, bytes, halfClose) => {
    const told = new Promise<string[]>((resolve) => {
      void start({
        http: async (_scope, receive) => {
          resolve([(await receive()).type, (await receive()).type]);
        },
      }).then(({ port }) => {
        const socket = connect({ port, host: "127.0.0.1" }, () =>
          halfClose ? socket.end(bytes) : socket.write(bytes),
        );
        socket.on("error", () => {});
      });
    });
    expect(await told).toEqual(["http.request", "http.disconnect"]);
  });
});

describe("errors in the adapter's own surroundings", () => {
  it("cost the request, not the process", async () => {
    let broken = true;
    const logger = new RecordingLogger();
    const server = await start(
      { http: telling(() => "ok"), websocket: () => {} },
      {
        logger,
        clock: {
          now: () => systemClock.now(),
          after: (ms, task) => {
            if (broken) throw new Error("no clock");
            return systemClock.after(ms, task);
          },
        },
      },
    );
    expect(await talk(server.port, request())).toEqual([]);
    expect(await talk(server.port, handshake)).toEqual([]);
    expect(logger.errors).toEqual([new Error("no clock"), new Error("no clock")]);
    broken = false;
    expect(await (await fetch(server.url)).json()).toBe("ok");
  });
});
