import { FakeClock, RecordingLogger } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import type { App, Connection, Scope } from "../app.js";
import type { HttpTransport, RequestHead, WebSocketTransport } from "../ports/transport.js";
import { openFetch } from "./fetch-connection.js";
import { fetchHead } from "./fetch-head.js";
import { ProtocolServer } from "./protocol-server.js";

const head: RequestHead = {
  method: "GET",
  rawPath: "/caf%C3%A9/a%20b",
  queryString: "x=%20",
  httpVersion: "1.1",
  headers: [
    ["host", "example.com"],
    ["sec-websocket-version", "13"],
    ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ["sec-websocket-protocol", "chat.v1, chat.v2"],
  ],
  secure: true,
  client: { host: "192.0.2.1", port: 5 },
  server: { host: "192.0.2.2", port: 443 },
};

function setUp(app: App) {
  const denied: unknown[][] = [];
  const ignore = () => {};
  const webSocket: WebSocketTransport = {
    buffered: 0,
    accept: ignore,
    deny: (...given) => denied.push(given),
    write: () => "ok",
    close: ignore,
  };
  const http: HttpTransport = {
    respond: (...given) => denied.push(given),
    start: ignore,
    write: () => "ok",
    end: ignore,
    abort: ignore,
    pause: ignore,
    resume: ignore,
  };
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  return {
    server: new ProtocolServer(app, { logger, clock, rootPath: "/app" }),
    webSocket,
    http,
    denied,
    clock,
    logger,
  };
}

/** Never answers; keeps the scopes it was called with. */
function listening() {
  const scopes: Scope<Connection>[] = [];
  const app: App = async (scope, receive) => {
    if (scope.type !== "http" && scope.type !== "websocket") return;
    scopes.push(scope);
    await receive.pipe(() => {});
  };
  return { app, scopes };
}

describe("the scope", () => {
  it("says what the handshake said", () => {
    const { app, scopes } = listening();
    const { server, webSocket } = setUp(app);
    server.openWebSocket(webSocket, head);
    expect(scopes[0]).toEqual({
      type: "websocket",
      scheme: "wss",
      httpVersion: "1.1",
      path: "/café/a b",
      rawPath: "/caf%C3%A9/a%20b",
      queryString: "x=%20",
      rootPath: "/app",
      headers: head.headers,
      subprotocols: ["chat.v1", "chat.v2"],
      client: { host: "192.0.2.1", port: 5 },
      server: { host: "192.0.2.2", port: 443 },
      state: {},
      extensions: { "websocket.http.response": {} },
      signal: expect.any(Function),
    });
  });

  it("says what the request said", () => {
    const { app, scopes } = listening();
    const { server, http } = setUp(app);
    server.openHttp(http, { ...head, method: "POST", secure: false });
    expect(scopes[0]).toMatchObject({ type: "http", method: "POST", scheme: "http", path: "/café/a b" });
  });

  it("carries what lifespan start-up left", async () => {
    const seen: unknown[] = [];
    const { server, http } = setUp(async (scope, receive, send) => {
      if (scope.type === "http") seen.push(scope.state.pool);
      if (scope.type !== "lifespan") return;
      await receive();
      scope.state.pool = "open";
      await send({ type: "lifespan.startup.complete" });
    });
    await server.startup();
    server.openHttp(http, head);
    expect(seen).toEqual(["open"]);
  });
});

describe("requests that cannot be served", () => {
  const without = (name: string) => head.headers.filter(([key]) => key !== name);
  it.each<[string, Partial<RequestHead>, number]>([
    ["no version", { headers: without("sec-websocket-version") }, 426],
    ["version 8", { headers: [...without("sec-websocket-version"), ["sec-websocket-version", "8"]] }, 426],
    ["no key", { headers: without("sec-websocket-key") }, 400],
    ["two keys", { headers: [...head.headers, ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="]] }, 400],
    ["a short key", { headers: [...without("sec-websocket-key"), ["sec-websocket-key", "dGhl"]] }, 400],
    ["a subprotocol twice", { headers: [...head.headers, ["sec-websocket-protocol", "chat.v1"]] }, 400],
    [
      "an empty subprotocol",
      { headers: [...without("sec-websocket-protocol"), ["sec-websocket-protocol", "a,,b"]] },
      400,
    ],
    ["a control byte in a header", { headers: [...head.headers, ["x-a", "\u0000"]] }, 400],
    ["a path beyond ASCII", { rawPath: "/café" }, 400],
    ["a path without a slash", { rawPath: "*" }, 400],
    ["percent-encoding that is not UTF-8", { rawPath: "/%ff" }, 400],
    ["percent-encoding that is none", { rawPath: "/%zz" }, 400],
    ["a control byte in the query", { queryString: "a=\u0001" }, 400],
  ])("%s: refused before the application is called", (_, change, status) => {
    const { app, scopes } = listening();
    const { server, webSocket, denied } = setUp(app);
    expect(server.openWebSocket(webSocket, { ...head, ...change })).toBeUndefined();
    expect(denied).toEqual([[status, expect.anything(), expect.anything()]]);
    expect(scopes).toEqual([]);
    expect(server.connections).toEqual({ http: 0, websocket: 0 });
  });

  it("names the version it speaks", () => {
    const { server, webSocket, denied } = setUp(() => {});
    server.openWebSocket(webSocket, { ...head, headers: [] });
    expect(denied[0]?.[1]).toContainEqual(["sec-websocket-version", "13"]);
  });
});

describe("shutdown", () => {
  it("waits for the applications, then runs the lifespan shutdown, and takes nothing new", async () => {
    const trace: string[] = [];
    const { server, webSocket, denied } = setUp(async (scope, receive, send) => {
      if (scope.type === "lifespan") {
        await receive();
        await send({ type: "lifespan.startup.complete" });
        trace.push((await receive()).type);
        await send({ type: "lifespan.shutdown.complete" });
      } else {
        await receive.pipe(() => {});
        trace.push("connection over");
      }
    });
    await server.startup();
    server.openWebSocket(webSocket, head);
    expect(server.connections.websocket).toBe(1);
    await server.shutdown({ deadline: 1_000 });
    expect(trace).toEqual(["connection over", "lifespan.shutdown"]);
    expect(server.connections.websocket).toBe(0);
    expect(server.openWebSocket(webSocket, head)).toBeUndefined();
    expect(denied.map(([status]) => status)).toEqual([503, 503]);
  });

  it.each<[string, string[], number]>([
    ["is read, where it is a stream", ["some", "more"], 1],
    ["is handed over, where it is whole", ["all"], 0],
  ])("waits until a web response %s", async (_what, pieces, waiting) => {
    const { server } = setUp(async (scope, _receive, send) => {
      if (scope.type !== "http") return;
      await send({ type: "http.response.start", status: 200 });
      for (const [index, body] of pieces.entries()) {
        await send({ type: "http.response.body", body, moreBody: index < pieces.length - 1 });
      }
    });
    const request = new Request("http://test.example/");
    const ends = { client: undefined, server: undefined };
    const response = await openFetch(server, request, fetchHead(request, ends), { maxBackpressure: 1024 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.connections.http).toBe(waiting);
    expect(await response.text()).toBe(pieces.join(""));
    await server.shutdown();
    expect(server.connections.http).toBe(0);
  });

  it("does not wait for ever for the lifespan either", async () => {
    const { server, clock, logger } = setUp(async (scope, receive, send) => {
      if (scope.type !== "lifespan") return;
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await new Promise(() => {});
    });
    await server.startup();
    const stopped = server.shutdown({ deadline: 5_000 });
    await clock.advance(5_000);
    await stopped;
    expect(logger.lines).toEqual([
      { level: "warn", message: "the application's lifespan did not shut down before the deadline", fields: {} },
    ]);
  });

  it("gives up at the deadline, and says how many it left", async () => {
    const { server, http, clock, logger } = setUp((scope) =>
      scope.type === "lifespan" ? undefined : new Promise(() => {}),
    );
    await server.startup();
    server.openHttp(http, head);
    const stopped = server.shutdown({ deadline: 1_000 });
    await clock.advance(1_000);
    await stopped;
    expect(logger.lines).toEqual([
      {
        level: "warn",
        message: "requests were given up, to leave their applications time before the deadline",
        fields: { http: 1 },
      },
      { level: "warn", message: "connections did not end before the deadline", fields: { http: 1, websocket: 0 } },
    ]);
  });
});
