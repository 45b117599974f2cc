import { FakeClock, RecordingLogger } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import { WallClock } from "../../test/wall-clock.js";
import type { App, Connection, Scope } from "../app.js";
import { ConfigurationError } from "../errors.js";
import type { Clock } from "../ports/clock.js";
import type { CloseOptions } from "../ports/server.js";
import type { HttpTransport, RequestHead, WebSocketTransport } from "../ports/transport.js";
import type { HeaderList } from "../scope.js";
import type { HttpSession } from "./http-session.js";
import { ProtocolServer, type ProtocolServerOptions } from "./protocol-server.js";
import type { WebSocketSession } from "./websocket-session.js";

const handshake: HeaderList = [
  ["host", "test.example"],
  ["sec-websocket-version", "13"],
  ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
];

const head: RequestHead = {
  method: "GET",
  rawPath: "/",
  queryString: "",
  httpVersion: "1.1",
  headers: handshake,
  secure: false,
  client: { host: "192.0.2.1", port: 5 },
  server: { host: "192.0.2.2", port: 80 },
};

/** Accepts WebSockets on all paths but "/wait", and lets requests wait for their end. */
const staying: App = async (scope, receive, send) => {
  if (scope.type === "lifespan") return;
  if (scope.type === "websocket" && scope.path !== "/wait") await send({ type: "websocket.accept" });
  await receive.pipe(() => {});
};

function setUp(options: Partial<ProtocolServerOptions> = {}, app: App = staying) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const began = clock.now();
  const scopes: Scope<Connection>[] = [];
  const server = new ProtocolServer(
    (scope, receive, send) => {
      if (scope.type === "http" || scope.type === "websocket") scopes.push(scope);
      return app(scope, receive, send);
    },
    { logger, clock, ...options },
  );
  /** Answers and close codes, each with its time. */
  const ends: [at: number, code: number][] = [];
  const end = (code: number): void => void ends.push([clock.now() - began, code]);
  const ignore = (): void => {};
  const webSocket = (change: Partial<RequestHead> = {}): WebSocketSession | undefined => {
    let session: WebSocketSession | undefined;
    const transport: WebSocketTransport = {
      buffered: 0,
      accept: ignore,
      deny: end,
      write: () => "ok",
      close: (code, reason) => {
        end(code);
        session?.closed(code, reason);
      },
    };
    session = server.openWebSocket(transport, { ...head, ...change });
    return session;
  };
  const responses: HeaderList[] = [];
  const http = (change: Partial<RequestHead> = {}) => {
    const transport: HttpTransport = {
      respond: (status, headers) => {
        responses.push(headers);
        end(status);
        answered = true;
        session?.sent();
      },
      start: ignore,
      write: () => "ok",
      end: () => {
        end(0);
        answered = true;
        session?.sent();
      },
      abort: ignore,
      pause: ignore,
      resume: ignore,
    };
    let answered = false;
    let session: HttpSession | undefined;
    session = server.openHttp(transport, { ...head, ...change });
    if (answered) session?.sent();
    return session;
  };
  return { server, clock, logger, scopes, ends, webSocket, http, responses };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the head of a request", () => {
  const size = handshake.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);

  it.each([
    ["as many lines as may be", { maxHeaders: 3 }, []],
    ["one line too many", { maxHeaders: 2 }, [431, 431]],
    ["as many bytes as may be", { maxHeaderSize: size }, []],
    ["one byte too many", { maxHeaderSize: size - 1 }, [431, 431]],
  ])("with %s", (_, limits, expected) => {
    const { http, webSocket, ends, scopes } = setUp({ limits });
    http();
    webSocket();
    expect(ends.map(([, status]) => status)).toEqual(expected);
    expect(scopes).toHaveLength(2 - expected.length);
  });

  it.each([
    ["10", 0],
    ["11", 1],
    ["99999999999999999999", 1],
  ])("with a content length of %s where 10 are allowed", (length, refused) => {
    const { http, ends, scopes, responses } = setUp({ limits: { maxBodySize: 10 } });
    http({ headers: [["content-length", length]] });
    expect(ends.map(([, status]) => status)).toEqual(refused ? [413] : []);
    expect(scopes).toHaveLength(1 - refused);
    if (refused) expect(responses[0]).toContainEqual(["connection", "close"]);
  });

  it("is seen through proxies that are trusted", () => {
    const headers: HeaderList = [...handshake, ["x-forwarded-for", "203.0.113.9"], ["x-forwarded-proto", "https"]];
    const trusting = setUp({ trustedProxies: ["192.0.2.0/24"] });
    trusting.webSocket({ headers });
    trusting.http({ headers });
    expect(trusting.scopes).toMatchObject([
      { client: { host: "203.0.113.9" }, scheme: "wss" },
      { client: { host: "203.0.113.9" }, scheme: "https" },
    ]);
    const { http, scopes } = setUp();
    http({ headers });
    expect(scopes).toMatchObject([{ client: head.client, scheme: "http" }]);
  });

  it("cannot be seen through what is no proxy's address", () => {
    expect(() => setUp({ trustedProxies: ["localhost"] })).toThrow(ConfigurationError);
  });
});

describe("admission", () => {
  it("counts requests and WebSockets together, until they are over", async () => {
    const { server, http, webSocket, ends, responses } = setUp({ limits: { maxConnections: 2 } });
    const request = http();
    webSocket();
    http();
    webSocket();
    expect(ends.map(([, status]) => status)).toEqual([503, 503]);
    expect(responses).toEqual([expect.arrayContaining([["retry-after", "1"]])]);
    expect(server.counts.refused).toBe(2);
    expect(server.connections).toEqual({ http: 1, websocket: 1 });
    request?.aborted();
    await turn();
    expect(http()).toBeDefined();
  });

  it("counts by the address that a trusted proxy gives, and forgets it at the end", async () => {
    const { webSocket, ends } = setUp({
      trustedProxies: ["192.0.2.1"],
      limits: { maxConnectionsPerAddress: 1 },
    });
    const from = (address: string) => webSocket({ headers: [...handshake, ["x-forwarded-for", address]] });
    const first = from("203.0.113.1");
    expect(from("203.0.113.1")).toBeUndefined();
    expect(from("203.0.113.2")).toBeDefined();
    expect(ends.map(([, status]) => status)).toEqual([503]);
    first?.closed(1000);
    await turn();
    expect(from("203.0.113.1")).toBeDefined();
  });

  it("takes nothing off the rate for a handshake that cannot be served", () => {
    const { webSocket, ends } = setUp({ limits: { maxHandshakesPerSecond: 1 } });
    webSocket({ headers: [] });
    expect(webSocket()).toBeDefined();
    expect(webSocket()).toBeUndefined();
    expect(ends.map(([, status]) => status)).toEqual([426, 503]);
  });
});

describe("the maximum lifetime", () => {
  it("ends each WebSocket in its time, with one timer for all", async () => {
    const { webSocket, clock, ends } = setUp({ limits: { maxLifetime: 1_000 } });
    webSocket();
    expect(clock.pending).toBe(1);
    await clock.advance(300);
    const second = webSocket();
    await clock.advance(300);
    webSocket();
    webSocket();
    expect(clock.pending).toBe(1);
    second?.closed(1001);
    await clock.advance(2_000);
    expect(ends).toEqual([
      [1_000, 4408],
      [1_600, 4408],
      [1_600, 4408],
    ]);
    expect(clock.pending).toBe(0);
    webSocket();
    await clock.advance(1_000);
    expect(ends.at(-1)).toEqual([3_600, 4408]);
  });

  it("leaves a handshake to its own time-out, and ends what was accepted after the lifetime", async () => {
    const accepts: (() => void)[] = [];
    const { webSocket, clock, ends } = setUp(
      { limits: { maxLifetime: 100, handshakeTimeout: 1_000 } },
      async (scope, receive, send) => {
        if (scope.type === "websocket") accepts.push(() => void send({ type: "websocket.accept" }));
        await receive.pipe(() => {});
      },
    );
    webSocket();
    webSocket();
    await clock.advance(500);
    expect(ends).toEqual([]);
    accepts[0]?.();
    await clock.advance(600);
    expect(ends).toEqual([
      [1_000, 504],
      [1_100, 4408],
    ]);
  });

  it("is not held up by an application that does not return", async () => {
    const { webSocket, clock, ends } = setUp({ limits: { maxLifetime: 1_000 } }, async (scope, receive, send) => {
      if (scope.type === "websocket") await send({ type: "websocket.accept" });
      await new Promise(() => {});
      await receive();
    });
    webSocket();
    await clock.advance(10);
    webSocket();
    await clock.advance(5_000);
    expect(ends).toEqual([
      [1_000, 4408],
      [1_010, 4408],
    ]);
    expect(clock.pending).toBe(0);
  });

  it("is for ever at 0", () => {
    const { webSocket, clock } = setUp({ limits: { maxLifetime: 0 } });
    webSocket();
    expect(clock.pending).toBe(0);
  });
});

describe("draining", () => {
  it("closes WebSockets batch by batch, lets a request finish, and refuses what is new", async () => {
    const { server, webSocket, http, clock, ends } = setUp();
    for (let index = 0; index < 3; index += 1) webSocket();
    const request = http();
    const stopped = server.shutdown({ deadline: 10_000, drain: 3_000 });
    webSocket();
    http();
    await clock.advance(2_500);
    expect(ends).toEqual([
      [0, 1012],
      [0, 503],
      [0, 503],
      [1_000, 1012],
      [2_000, 1012],
    ]);
    request?.aborted();
    await stopped;
    expect(server.counts.refused).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it("closes a single one at once, a handshake with 503", async () => {
    const { server, webSocket, ends } = setUp();
    webSocket({ rawPath: "/wait" });
    await server.shutdown({ drain: 3_000 });
    expect(ends).toEqual([[0, 503]]);
  });

  it("is over when the clients have left by themselves", async () => {
    const { server, webSocket, clock } = setUp();
    const sessions = [webSocket(), webSocket()];
    const stopped = server.shutdown({ drain: 3_000 });
    sessions[1]?.closed(1001);
    await stopped;
    expect(clock.pending).toBe(0);
  });

  it("takes no longer than the deadline", async () => {
    const { server, webSocket, clock, ends } = setUp();
    for (let index = 0; index < 4; index += 1) webSocket();
    const stopped = server.shutdown({ deadline: 200, drain: 60_000 });
    await clock.advance(200);
    await stopped;
    expect(ends.map(([at]) => at)).toEqual([0, 50, 100, 150]);
  });

  it.each([undefined, 0])("happens all at once where the window is %s", async (window) => {
    const { server, webSocket, ends } = setUp();
    for (let index = 0; index < 3; index += 1) webSocket();
    await server.shutdown(window === undefined ? {} : { drain: window });
    expect(ends.map(([at]) => at)).toEqual([0, 0, 0]);
  });
});

describe("draining in time", () => {
  /** A clock whose timers come `late` milliseconds after their time. */
  const lateClock = (clock: FakeClock, late: number): Clock => ({
    now: () => clock.now(),
    after: (ms, task) => clock.after(ms + late, task),
  });

  it("catches up where timers come late, and leaves nobody without a close", async () => {
    const clock = new FakeClock();
    const { server, webSocket, ends } = setUp({ clock: lateClock(clock, 30) });
    for (let index = 0; index < 100; index += 1) webSocket();
    const began = clock.now();
    const stopped = server.shutdown({ deadline: 5_000, drain: 5_000 });
    for (let step = 0; step < 600; step += 1) await clock.advance(10);
    await stopped;
    expect(ends).toHaveLength(100);
    expect(new Set(ends.map(([, code]) => code))).toEqual(new Set([1012]));
    expect(clock.now() - began).toBe(6_000);
  });

  it("closes who is left at the deadline", async () => {
    const clock = new FakeClock();
    // No timer of a batch comes before the deadline.
    const { server, webSocket, ends } = setUp({
      clock: { now: () => clock.now(), after: (ms, task) => clock.after(ms < 100 ? 60_000 : ms, task) },
    });
    for (let index = 0; index < 40; index += 1) webSocket();
    const stopped = server.shutdown({ deadline: 2_000, drain: 2_000 });
    await clock.advance(1_999);
    expect(ends).toHaveLength(1);
    await clock.advance(1);
    await stopped;
    expect(ends).toHaveLength(40);
    expect(server.connections.websocket).toBe(0);
  });
});

describe("requests when the server goes away", () => {
  it("are told at once, and batch by batch where it drains", async () => {
    const { server, http, clock, ends } = setUp();
    for (let index = 0; index < 2; index += 1) http()?.data(new Uint8Array(0), true);
    const stopped = server.shutdown({ deadline: 10_000, drain: 1_000 });
    await clock.advance(500);
    await stopped;
    expect(ends).toEqual([
      [0, 503],
      [500, 503],
    ]);
  });

  it("that do not end are given up a second before the deadline, and the lifespan waits for their applications", async () => {
    const trace: [number, string][] = [];
    const { server, http, clock, ends } = setUp({}, async (scope, receive, send) => {
      const note = (what: string): void => void trace.push([clock.now() - began, what]);
      if (scope.type === "lifespan") {
        await receive();
        await send({ type: "lifespan.startup.complete" });
        note((await receive()).type);
        await send({ type: "lifespan.shutdown.complete" });
        return;
      }
      if (scope.type === "channel") return;
      const signal = scope.signal();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      note("aborted");
      await new Promise<void>((resolve) => void clock.after(400, resolve));
      note("cleaned up");
    });
    const began = clock.now();
    await server.startup();
    http()?.data(new Uint8Array(0), true);
    const stopped = server.shutdown({ deadline: 3_000 });
    await clock.advance(3_000);
    await stopped;
    expect(ends).toEqual([[2_000, 503]]);
    expect(trace).toEqual([
      [2_000, "aborted"],
      [2_400, "cleaned up"],
      [2_400, "lifespan.shutdown"],
    ]);
  });

  it("are given as long as they want where the deadline is infinite", async () => {
    let goOn = (): void => {};
    const { server, http, clock, ends } = setUp({}, async (scope, _receive, send) => {
      if (scope.type !== "http") return;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "at last" });
    });
    http()?.data(new Uint8Array(0), true);
    const stopped = server.shutdown({ deadline: Number.POSITIVE_INFINITY });
    await clock.advance(50_000);
    expect(ends).toEqual([]);
    goOn();
    await stopped;
    expect(ends).toEqual([[50_000, 200]]);
  });
});

it.each<[CloseOptions, string]>([
  [{ deadline: -1 }, "expected deadline to be 0 or more milliseconds, got -1"],
  [{ deadline: Number.NaN }, "got NaN"],
  [{ drain: -1 }, "expected drain to be 0 to 2147483647 milliseconds, got -1"],
  [{ drain: Number.NaN }, "got NaN"],
  [{ drain: Number.POSITIVE_INFINITY }, "got Infinity"],
])("shutdown with %j is refused, and nothing is shut down", async (options, message) => {
  const { server, webSocket, ends } = setUp();
  webSocket();
  const refused = server.shutdown(options).catch((error: unknown) => error);
  expect(await refused).toBeInstanceOf(ConfigurationError);
  expect(String(await refused)).toContain(message);
  expect(ends).toEqual([]);
});

it("the maximum lifetime is no reason to look again later than that, wherever the clock is set", () => {
  const clock = new WallClock();
  const { webSocket } = setUp({ clock, limits: { maxLifetime: 5_000_000, handshakeTimeout: 1 } });
  webSocket();
  expect(clock.waits).toEqual([5_000_000]);
  clock.time = 0;
  clock.runNext();
  expect(clock.waits.at(-1)).toBe(5_000_000);
});

describe("a logger that throws", () => {
  const fail = (): never => {
    throw new Error("disk full");
  };

  it("keeps nothing from being answered, and nobody from being closed", async () => {
    const { webSocket, http, ends, clock, server } = setUp(
      { logger: { debug: fail, info: fail, warn: fail, error: fail }, limits: { maxConnections: 2, httpTimeout: 10 } },
      (scope, receive) => {
        if ("path" in scope && scope.path === "/throw") throw new Error("boom");
        return receive.pipe(() => {});
      },
    );
    http({ rawPath: "/throw" });
    webSocket({ rawPath: "/throw" });
    webSocket();
    http();
    http();
    await clock.advance(5_000);
    expect(ends).toEqual([
      [0, 500],
      [0, 500],
      [0, 503],
      [10, 503],
      [5_000, 504],
    ]);
    await turn();
    expect(server.connections).toEqual({ http: 0, websocket: 0 });
  });
});
