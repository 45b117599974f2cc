import { FakeClock, RecordingLogger, webSocketScope } from "@sluice/testing";
import { beforeEach, describe, expect, it } from "vitest";
import type { App, ReceiveEvent, Send } from "../app.js";
import { ClientDisconnected, DenyConnection, ProtocolError, RouteNotFound, SlowConsumer } from "../errors.js";
import type { WebSocketTransport, WriteStatus } from "../ports/transport.js";
import { Counts } from "./counts.js";
import { defaultLimits, type Limits } from "./limits.js";
import { WebSocketSession } from "./websocket-session.js";

/** Writes down what it is told. */
class FakeTransport implements WebSocketTransport {
  readonly calls: unknown[][] = [];
  status: WriteStatus = "ok";
  buffered = 0;

  accept(...given: unknown[]): void {
    this.calls.push(["accept", ...given]);
  }
  deny(...given: unknown[]): void {
    this.calls.push(["deny", ...given]);
  }
  write(data: string | Uint8Array): WriteStatus {
    this.calls.push(["write", data]);
    return this.status;
  }
  close(...given: unknown[]): void {
    this.calls.push(["close", ...given]);
  }
}

const scope = webSocketScope({ subprotocols: ["chat.v1"] });

let transport: FakeTransport;
let clock: FakeClock;
let logger: RecordingLogger;
let counts: Counts;
let finished: number;

beforeEach(() => {
  transport = new FakeTransport();
  clock = new FakeClock();
  logger = new RecordingLogger();
  counts = new Counts();
  finished = 0;
});

function run(app: App<"websocket">, limits: Partial<Limits> = {}): WebSocketSession {
  const session = new WebSocketSession(transport, {
    clock,
    logger,
    limits: { ...defaultLimits, ...limits },
    counts,
    onFinished: () => finished++,
  });
  session.run(app, scope);
  return session;
}

/** Accepts, then does `then` for every later event; keeps the events and the means to send. */
function accepting(
  then: (event: ReceiveEvent<"websocket">, send: Send<"websocket">) => void | Promise<void> = () => {},
) {
  const events: ReceiveEvent<"websocket">[] = [];
  const app: App<"websocket"> = (_scope, receive, send) =>
    receive.pipe((event) => {
      events.push(event);
      return event.type === "websocket.connect" ? send({ type: "websocket.accept" }) : then(event, send);
    });
  return { app, events };
}

/** Every promise that can settle has settled after a turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the handshake", () => {
  it("accepts in the same tick", () => {
    run(accepting().app);
    expect(transport.calls).toEqual([["accept", { subprotocol: undefined, headers: [] }]]);
  });

  it("passes an offered subprotocol and headers on", () => {
    run((_scope, _receive, send) =>
      send({ type: "websocket.accept", subprotocol: "chat.v1", headers: [["x-a", "1"]] }),
    );
    expect(transport.calls[0]).toEqual(["accept", { subprotocol: "chat.v1", headers: [["x-a", "1"]] }]);
  });

  it.each([
    ["a subprotocol nobody offered", { subprotocol: "chat.v2" }, ProtocolError],
    ["a header that breaks the line", { headers: [["x-a", "1\r\nx-b: 2"]] as const }, TypeError],
    ["a header name that is none", { headers: [["x a", "1"]] as const }, TypeError],
    ["a header that is the server's", { headers: [["Sec-WebSocket-Accept", "x"]] as const }, ProtocolError],
  ])("refuses to accept with %s: an error in the application, 500 on the wire", (_, options, kind) => {
    run((_scope, _receive, send) => send({ type: "websocket.accept", ...options }));
    expect(transport.calls).toEqual([["deny", 500, expect.anything(), "Internal Server Error\n"]]);
    expect(logger.errors).toEqual([expect.any(kind)]);
  });

  it.each([
    [
      "DenyConnection",
      new DenyConnection({ status: 402, headers: [["x-why", "fees"]], body: "pay" }),
      [402, [["x-why", "fees"]], "pay"],
      0,
    ],
    ["RouteNotFound", new RouteNotFound("no route"), [404, expect.anything(), "Not Found\n"], 0],
    ["any error", new Error("boom"), [500, expect.anything(), "Internal Server Error\n"], 1],
    ["a denial that is the server's own fault", new DenyConnection({ status: 503 }), [503, [], ""], 1],
  ])("answers %s thrown before accept", async (_, error, answer, logged) => {
    const session = run(() => {
      throw error;
    });
    expect(transport.calls).toEqual([["deny", ...answer]]);
    expect(logger.errors).toHaveLength(logged);
    expect(finished).toBe(1);
    session.closed(1006);
    expect(finished).toBe(1);
  });

  it("answers close before accept with 403 and tells the application of the end", async () => {
    const events: unknown[] = [];
    run((_scope, receive, send) =>
      receive.pipe((event) => {
        events.push(event);
        return event.type === "websocket.connect" ? send({ type: "websocket.close", code: 4003 }) : undefined;
      }),
    );
    await turn();
    expect(transport.calls).toEqual([["deny", 403, [], ""]]);
    expect(events).toEqual([{ type: "websocket.connect" }, { type: "websocket.disconnect", code: 1006, reason: "" }]);
    expect(finished).toBe(1);
  });

  it("puts a denial response together from its pieces", async () => {
    run(async (_scope, _receive, send) => {
      await send({ type: "websocket.http.response.start", status: 429, headers: [["retry-after", "3"]] });
      await send({ type: "websocket.http.response.body", body: "slow ", moreBody: true });
      await send({ type: "websocket.http.response.body", body: "down" });
    });
    await turn();
    expect(transport.calls).toEqual([["deny", 429, [["retry-after", "3"]], new TextEncoder().encode("slow down")]]);
  });

  it("answers 500 for an application that returns without a word", async () => {
    run(() => {});
    expect(transport.calls).toEqual([["deny", 500, expect.anything(), expect.anything()]]);
    expect(logger.errors).toEqual([
      new ProtocolError(
        'expected "websocket.accept", "websocket.close" or "websocket.http.response.start", but the application returned',
      ),
    ]);
  });

  it("answers 504 when the application takes too long, and 'too late' to what it does then", async () => {
    let late: unknown;
    run(
      async (_scope, receive, send) => {
        await receive();
        await receive();
        try {
          await send({ type: "websocket.accept" });
        } catch (error) {
          late = error;
          throw error;
        }
      },
      { handshakeTimeout: 5_000 },
    );
    await clock.advance(4_999);
    expect(transport.calls).toEqual([]);
    await clock.advance(1);
    expect(transport.calls).toEqual([["deny", 504, expect.anything(), expect.anything()]]);
    expect(late).toBeInstanceOf(ClientDisconnected);
    expect(logger.errors).toEqual([]);
    expect(finished).toBe(1);
  });

  it("has no timeout any more once it is accepted", async () => {
    run(accepting().app);
    expect(clock.pending).toBe(0);
  });

  it("lets a client that left before accept be noticed, and the accept be harmless", async () => {
    let late: unknown;
    const session = run(async (_scope, receive, send) => {
      await receive();
      expect(await receive()).toEqual({ type: "websocket.disconnect", code: 1006, reason: "" });
      try {
        await send({ type: "websocket.accept" });
      } catch (error) {
        late = error;
      }
    });
    session.closed(1006);
    await turn();
    expect(late).toBeInstanceOf(ClientDisconnected);
    expect(transport.calls).toEqual([]);
    expect(finished).toBe(1);
    expect(logger.lines).toEqual([]);
  });
});

describe("the order of events", () => {
  it.each([
    ["send before accept", [{ type: "websocket.send", text: "a" }], 'expected "websocket.accept", "websocket.close"'],
    [
      "a second accept",
      [{ type: "websocket.accept" }, { type: "websocket.accept" }],
      'expected "websocket.send" or "websocket.close", got "websocket.accept"',
    ],
    [
      "send after close",
      [{ type: "websocket.accept" }, { type: "websocket.close" }, { type: "websocket.send", text: "a" }],
      "expected nothing after the end of the connection",
    ],
    [
      "a second close",
      [{ type: "websocket.accept" }, { type: "websocket.close" }, { type: "websocket.close" }],
      "expected nothing after the end",
    ],
    [
      "accept within a denial",
      [{ type: "websocket.http.response.start", status: 403 }, { type: "websocket.accept" }],
      'expected "websocket.http.response.body"',
    ],
    [
      "close within a denial",
      [{ type: "websocket.http.response.start", status: 403 }, { type: "websocket.close" }],
      'expected "websocket.http.response.body"',
    ],
    ["a denial's body without its start", [{ type: "websocket.http.response.body" }], 'expected "websocket.accept"'],
    ["an event that does not exist", [{ type: "websocket.dance" }], 'got "websocket.dance"'],
  ])("%s is a ProtocolError that says what was expected", async (_, events, message) => {
    run(async (_scope, _receive, send) => {
      for (const event of events) await send(event as Parameters<typeof send>[0]);
    });
    await turn();
    expect(logger.errors).toEqual([expect.any(ProtocolError)]);
    expect(String(logger.errors[0])).toContain(message);
  });

  it.each([[1005], [1006], [999], [1004], [1015], [2999], [5000], [1000.5]])(
    "close(%d) is a TypeError",
    async (code) => {
      run(accepting((_event, send) => send({ type: "websocket.close", code }) as undefined).app).message("x", 1);
      await turn();
      expect(logger.errors).toEqual([expect.any(TypeError)]);
      expect(transport.calls.at(-1)).toEqual(["close", 1011, "internal error"]);
    },
  );

  it("measures a close reason in bytes", async () => {
    run(
      accepting((_event, send) => send({ type: "websocket.close", reason: "é".repeat(62) }) as undefined).app,
    ).message("x", 1);
    await turn();
    expect(String(logger.errors[0])).toContain("at most 123 bytes, got 124");
  });

  it("refuses what is neither text nor bytes before it reaches the transport", async () => {
    run(
      accepting((_event, send) => send({ type: "websocket.send" } as Parameters<typeof send>[0]) as undefined).app,
    ).message("x", 1);
    await turn();
    expect(String(logger.errors[0])).toContain("expected a string as text or a Uint8Array as bytes, got undefined");
  });
});

describe("an open connection", () => {
  it("delivers text as text and bytes as bytes, and sends an empty frame", () => {
    const { app, events } = accepting((_event, send) => send({ type: "websocket.send", text: "" }) as undefined);
    const session = run(app);
    session.message("a", 1);
    session.message(new Uint8Array([1]), 1);
    expect(events.slice(1)).toEqual([
      { type: "websocket.receive", text: "a" },
      { type: "websocket.receive", bytes: new Uint8Array([1]) },
    ]);
    expect(transport.calls.slice(1)).toEqual([
      ["write", ""],
      ["write", ""],
    ]);
  });

  it("closes with the application's code, and disconnects with it whatever the peer answers", async () => {
    const { app, events } = accepting(
      (_event, send) => send({ type: "websocket.close", code: 4007, reason: "why" }) as undefined,
    );
    const session = run(app);
    session.message("x", 1);
    expect(transport.calls.at(-1)).toEqual(["close", 4007, "why"]);
    session.closed(1005);
    await turn();
    expect(events.at(-1)).toEqual({ type: "websocket.disconnect", code: 4007, reason: "why" });
    expect(finished).toBe(1);
  });

  it("closes with 1011 after a throw, and logs it once", async () => {
    const session = run(
      accepting(() => {
        throw new Error("boom");
      }).app,
    );
    session.message("x", 1);
    await turn();
    expect(transport.calls.at(-1)).toEqual(["close", 1011, "internal error"]);
    expect(logger.errors).toEqual([new Error("boom")]);
    session.closed(1011);
    expect(finished).toBe(1);
  });

  it("closes with 1000 when the application returns", async () => {
    run(async (_scope, _receive, send) => send({ type: "websocket.accept" }));
    await turn();
    expect(transport.calls.at(-1)).toEqual(["close", 1000, ""]);
  });

  it("closes with 1009 above the maximum size, not at it", () => {
    const { app, events } = accepting();
    const session = run(app, { maxMessageSize: 4 });
    session.message("1234", 4);
    session.message("12345", 5);
    expect(events.slice(2)).toEqual([{ type: "websocket.disconnect", code: 1009, reason: "message too big" }]);
    expect(transport.calls.at(-1)).toEqual(["close", 1009, "message too big"]);
  });

  it("closes with 1013 when the inbox is full and the transport cannot pause, and still disconnects", async () => {
    let release: () => void = () => {};
    const { app, events } = accepting((event) =>
      event.type === "websocket.receive"
        ? new Promise((resolve) => {
            release = resolve;
          })
        : undefined,
    );
    const session = run(app, { maxInboxMessages: 2 });
    for (const text of ["1", "2", "3"]) session.message(text, 1);
    expect(transport.calls.at(-1)).toEqual(["close", 1013, "inbox full"]);
    session.message("4", 1);
    session.closed(1013);
    release();
    await turn();
    expect(events.map((event) => ("text" in event ? event.text : event.type))).toEqual([
      "websocket.connect",
      "1",
      "websocket.disconnect",
    ]);
    expect(finished).toBe(1);
  });

  it("pauses a transport that can, and resumes it when there is room", async () => {
    const calls: string[] = [];
    const session = new WebSocketSession(
      Object.assign(transport, { pause: () => calls.push("pause"), resume: () => calls.push("resume") }),
      { clock, logger, limits: { ...defaultLimits, maxInboxMessages: 2 }, counts, onFinished: () => {} },
    );
    let release: () => void = () => {};
    session.run(
      accepting((event) =>
        event.type === "websocket.receive"
          ? new Promise((resolve) => {
              release = resolve;
            })
          : undefined,
      ).app,
      scope,
    );
    for (const text of ["1", "2", "3"]) session.message(text, 1);
    expect(calls).toEqual(["pause"]);
    release();
    await turn();
    expect(calls).toEqual(["pause", "resume"]);
    expect(transport.calls).toHaveLength(1);
  });

  it("returns one promise to all writers under back-pressure, until the transport has drained", async () => {
    let out: Send<"websocket"> = () => {};
    const session = run(
      accepting((_event, send) => {
        out = send;
      }).app,
    );
    session.message("x", 1);
    expect(out({ type: "websocket.send", text: "a" })).toBeUndefined();
    transport.status = "buffered";
    const first = out({ type: "websocket.send", text: "b" });
    const second = out({ type: "websocket.send", text: "c" });
    expect(first).toBeInstanceOf(Promise);
    expect(second).toBe(first);
    session.drained();
    await first;
    transport.status = "ok";
    expect(out({ type: "websocket.send", text: "d" })).toBeUndefined();
  });

  it("lets writers go when the client leaves", async () => {
    let waiting: unknown;
    transport.status = "buffered";
    const session = run(
      accepting((event, send) => {
        if (event.type === "websocket.receive") waiting = send({ type: "websocket.send", text: "a" });
      }).app,
    );
    session.message("x", 1);
    session.closed(1006);
    await expect(waiting).resolves.toBeUndefined();
  });

  it("closes with 1013 when the transport had to drop a message", async () => {
    transport.status = "dropped";
    const session = run(accepting((_event, send) => send({ type: "websocket.send", text: "a" }) as undefined).app);
    session.message("x", 1);
    await turn();
    expect(transport.calls.at(-1)).toEqual(["close", 1013, "slow consumer"]);
    expect(logger.lines).toEqual([{ level: "warn", message: "closed", fields: { err: expect.any(SlowConsumer) } }]);
  });

  it("tells a sender that the client has gone, and nobody else", async () => {
    let out: Send<"websocket"> = () => {};
    const session = run(
      accepting((_event, send) => {
        out = send;
      }).app,
    );
    session.message("x", 1);
    session.closed(1001);
    expect(() => out({ type: "websocket.send", text: "a" })).toThrow(ClientDisconnected);
    expect(logger.lines).toEqual([]);
  });

  it("aborts its signal when the client leaves, also one that is asked for later", () => {
    const session = run(accepting().app);
    const early = session.signal();
    expect(early.aborted).toBe(false);
    session.closed(1001);
    expect(early.aborted).toBe(true);
    expect(session.signal()).toBe(early);
  });
});

describe("the end", () => {
  it("is told to the application at once, and over when the client has all it was sent", async () => {
    transport.status = "buffered";
    const { app, events } = accepting();
    let out: Send<"websocket"> = () => {};
    const session = run((scope, receive, send) => {
      out = send;
      return app(scope, receive, send);
    });
    const waiting = out({ type: "websocket.send", text: "a" });
    const signal = session.signal();
    session.shutdown();
    expect(events.at(-1)).toEqual({ type: "websocket.disconnect", code: 1012, reason: "service restart" });
    expect(signal.aborted).toBe(true);
    expect(() => out({ type: "websocket.send", text: "b" })).toThrow(ClientDisconnected);
    await waiting;
    await turn();
    expect(finished).toBe(0);
    session.closed(1006);
    expect(finished).toBe(1);
    expect(events).toHaveLength(2);
    session.closed(1000);
    session.shutdown();
    expect([finished, transport.calls.length, clock.pending]).toEqual([1, 3, 0]);
  });

  it("keeps the session of an application that has not returned", async () => {
    let goOn = (): void => {};
    const session = run(async (_scope, _receive, send) => {
      await send({ type: "websocket.accept" });
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    });
    session.shutdown();
    session.closed(1012);
    await turn();
    expect(finished).toBe(0);
    goOn();
    await turn();
    expect(finished).toBe(1);
  });
});

describe("shutdown", () => {
  it("closes with 1012 and lets the application finish", async () => {
    const { app, events } = accepting();
    const session = run(app);
    session.shutdown();
    expect(transport.calls.at(-1)).toEqual(["close", 1012, "service restart"]);
    session.closed(1005);
    await turn();
    expect(events.at(-1)).toEqual({ type: "websocket.disconnect", code: 1012, reason: "service restart" });
    expect(finished).toBe(1);
  });

  it("refuses a handshake with 503", async () => {
    const session = run((_scope, receive) => receive.pipe(() => {}));
    session.shutdown();
    await turn();
    expect(transport.calls).toEqual([["deny", 503, expect.anything(), expect.anything()]]);
    expect(finished).toBe(1);
  });
});
