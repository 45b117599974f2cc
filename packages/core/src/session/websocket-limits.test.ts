import { FakeClock, RecordingLogger, webSocketScope } from "@sluice/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { ClientDisconnected, SlowConsumer } from "../errors.js";
import type { WebSocketTransport, WriteStatus } from "../ports/transport.js";
import { Counts } from "./counts.js";
import { defaultLimits, type Limits } from "./limits.js";
import { WebSocketSession } from "./websocket-session.js";

let closes: unknown[][];
let status: WriteStatus;
let buffered: number;
let clock: FakeClock;
let logger: RecordingLogger;
let counts: Counts;

beforeEach(() => {
  closes = [];
  status = "ok";
  buffered = 0;
  clock = new FakeClock();
  logger = new RecordingLogger();
  counts = new Counts();
});

/** A connection whose application waits to be told what to send, and keeps what becomes of it. */
function open(limits: Partial<Limits> = {}, { accepts = true } = {}) {
  const transport: WebSocketTransport = {
    get buffered() {
      return buffered;
    },
    accept: () => {},
    deny: (...given) => closes.push(["deny", ...given]),
    write: () => status,
    close: (...given) => closes.push(given),
  };
  const session = new WebSocketSession(transport, {
    clock,
    logger,
    counts,
    limits: { ...defaultLimits, ...limits },
    onFinished: () => {},
  });
  let send: () => unknown = () => {};
  session.run((_scope, receive, out) => {
    send = () => out({ type: "websocket.send", text: "a" });
    return receive.pipe((event) =>
      event.type === "websocket.connect" && accepts ? out({ type: "websocket.accept" }) : undefined,
    );
  }, webSocketScope());
  return { session, send: () => send() };
}

describe("the time that a client may take nothing", () => {
  it("ends with 1013, lets the writers go, and is logged and counted once", async () => {
    const { session, send } = open({ sendTimeout: 1_000 });
    status = "buffered";
    const writers = [send(), send()];
    await clock.advance(999);
    expect(closes).toEqual([]);
    await clock.advance(1);
    expect(closes).toEqual([[1013, "slow consumer"]]);
    await expect(Promise.all(writers)).resolves.toBeDefined();
    expect(send).toThrow(ClientDisconnected);
    expect(counts).toMatchObject({ slowConsumers: 1, fullInboxes: 0 });
    expect(logger.lines).toEqual([{ level: "warn", message: "closed", fields: { err: expect.any(SlowConsumer) } }]);
    session.closed(1006);
    expect(clock.pending).toBe(0);
  });

  it("begins with the first that waits, and anew when the client has caught up", async () => {
    const { session, send } = open({ sendTimeout: 1_000 });
    status = "buffered";
    send();
    await clock.advance(600);
    send();
    session.drained();
    expect(clock.pending).toBe(0);
    await clock.advance(600);
    send();
    await clock.advance(999);
    expect(closes).toEqual([]);
    send();
    await clock.advance(1);
    expect(closes).toEqual([[1013, "slow consumer"]]);
  });

  it("begins anew for a client that takes some of it, however slowly", async () => {
    const { send } = open({ sendTimeout: 1_000 });
    status = "buffered";
    buffered = 500;
    send();
    for (buffered = 499; buffered > 495; buffered -= 1) await clock.advance(1_000);
    expect(closes).toEqual([]);
    buffered = 496;
    await clock.advance(999);
    expect(closes).toEqual([]);
    await clock.advance(1);
    expect(closes).toEqual([[1013, "slow consumer"]]);
  });

  it("sees that it takes some although as much comes in addition", async () => {
    const { send } = open({ sendTimeout: 1_000 });
    status = "buffered";
    buffered = 500;
    send();
    await clock.advance(500);
    buffered = 400;
    send();
    buffered = 500;
    await clock.advance(500);
    expect(closes).toEqual([]);
    await clock.advance(1_000);
    expect(closes).toEqual([[1013, "slow consumer"]]);
  });

  it("costs no timer while nobody waits, none at 0, and none once the client has gone", async () => {
    const { session, send } = open({ sendTimeout: 1_000 });
    send();
    expect(clock.pending).toBe(0);
    status = "buffered";
    send();
    expect(clock.pending).toBe(1);
    session.closed(1001);
    expect(clock.pending).toBe(0);
    const patient = open({ sendTimeout: 0 });
    patient.send();
    expect(clock.pending).toBe(0);
  });

  it("is not what ends a connection that is being closed", async () => {
    const { session, send } = open({ sendTimeout: 1_000 });
    status = "buffered";
    send();
    session.shutdown();
    await clock.advance(1_000);
    expect(closes).toEqual([[1012, "service restart"]]);
    expect(counts.slowConsumers).toBe(0);
  });

  it("does not lift the time-out of the handshake", async () => {
    const { session } = open({ handshakeTimeout: 5_000 }, { accepts: false });
    session.drained();
    await clock.advance(5_000);
    expect(closes).toEqual([["deny", 504, expect.anything(), expect.anything()]]);
  });
});

describe("the counts", () => {
  it("have a client whose message was dropped", () => {
    const { send } = open();
    status = "dropped";
    expect(send).toThrow(SlowConsumer);
    expect(send).toThrow(ClientDisconnected);
    expect(counts).toMatchObject({ slowConsumers: 1, fullInboxes: 0 });
  });

  it("have a client whose messages found no room", () => {
    const session = new WebSocketSession(
      { buffered: 0, accept: () => {}, deny: () => {}, write: () => "ok", close: (...given) => closes.push(given) },
      { clock, logger, counts, limits: { ...defaultLimits, maxInboxMessages: 2 }, onFinished: () => {} },
    );
    session.run(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await new Promise(() => {});
    }, webSocketScope());
    for (const text of ["1", "2", "3"]) session.message(text, 1);
    expect(closes).toEqual([[1013, "inbox full"]]);
    expect(counts).toMatchObject({ slowConsumers: 0, fullInboxes: 1 });
  });
});

describe("expire", () => {
  it("closes with 4408, once", () => {
    const { session } = open();
    expect(session.expire()).toBe(true);
    expect(session.expire()).toBe(true);
    expect(closes).toEqual([[4408, "maximum lifetime"]]);
  });

  it("leaves a handshake alone, and what is being closed or is gone", () => {
    expect(open({}, { accepts: false }).session.expire()).toBe(false);
    const closing = open().session;
    closing.shutdown();
    expect(closing.expire()).toBe(true);
    const gone = open().session;
    gone.closed(1001);
    expect(gone.expire()).toBe(true);
    expect(closes).toEqual([[1012, "service restart"]]);
  });
});
