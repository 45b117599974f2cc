import { FakeClock, httpScope, RecordingLogger } from "@sluice/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { WallClock } from "../../test/wall-clock.js";
import type { App, Send } from "../app.js";
import { ClientDisconnected, DenyConnection, ProtocolError, RouteNotFound } from "../errors.js";
import type { HttpTransport, WriteStatus } from "../ports/transport.js";
import { Counts } from "./counts.js";
import { HttpSession } from "./http-session.js";
import { defaultLimits, type Limits } from "./limits.js";

class FakeTransport implements HttpTransport {
  readonly calls: unknown[][] = [];
  status: WriteStatus = "ok";
  /** Told when the response is complete, which may be within the call that runs the application. */
  onComplete: () => void = () => {};

  respond(...given: unknown[]): void {
    this.calls.push(["respond", ...given]);
    this.onComplete();
  }
  start(...given: unknown[]): void {
    this.calls.push(["start", ...given]);
  }
  write(chunk: Uint8Array | string): WriteStatus {
    this.calls.push(["write", chunk]);
    return this.status;
  }
  end(): void {
    this.calls.push(["end"]);
    this.onComplete();
  }
  abort(): void {
    this.calls.push(["abort"]);
  }
  pause(): void {
    this.calls.push(["pause"]);
  }
  resume(): void {
    this.calls.push(["resume"]);
  }
}

const scope = httpScope();

let transport: FakeTransport;
let clock: FakeClock;
let logger: RecordingLogger;
let finished: number;

beforeEach(() => {
  transport = new FakeTransport();
  clock = new FakeClock();
  logger = new RecordingLogger();
  finished = 0;
});

/** With a client that takes everything at once, unless told otherwise. */
function run(app: App<"http">, limits: Partial<Limits> = {}, { takes = true } = {}): HttpSession {
  const session = new HttpSession(transport, {
    clock,
    logger,
    limits: { ...defaultLimits, ...limits },
    counts: new Counts(),
    onFinished: () => finished++,
  });
  if (takes) transport.onComplete = () => session.sent();
  session.run(app, scope);
  return session;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const empty = new Uint8Array();

describe("a response", () => {
  it("goes out in one piece where it is one, at once", () => {
    run((_scope, _receive, send) => {
      void send({ type: "http.response.start", status: 200, headers: [["x-a", "1"]] });
      void send({ type: "http.response.body", body: "hi" });
    });
    expect(transport.calls).toEqual([["respond", 200, [["x-a", "1"]], "hi"]]);
    expect(finished).toBe(1);
  });

  it("is streamed where it is not", async () => {
    run(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", moreBody: true });
      await send({ type: "http.response.body", body: "a", moreBody: true });
      await send({ type: "http.response.body", body: "b" });
    });
    await turn();
    expect(transport.calls).toEqual([["start", 200, []], ["write", "a"], ["write", "b"], ["end"]]);
    expect(finished).toBe(1);
  });

  it("waits for a slow client", async () => {
    transport.status = "buffered";
    let waited: unknown;
    const session = run(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      waited = send({ type: "http.response.body", body: "a", moreBody: true });
      await waited;
      await send({ type: "http.response.body" });
    });
    await turn();
    expect(waited).toBeInstanceOf(Promise);
    expect(transport.calls.at(-1)).toEqual(["write", "a"]);
    session.drained();
    await turn();
    expect(transport.calls.at(-1)).toEqual(["end"]);
  });

  it.each([
    [
      "a body before the start",
      [{ type: "http.response.body" }],
      'expected "http.response.start", got "http.response.body"',
    ],
    [
      "a second start",
      [
        { type: "http.response.start", status: 200 },
        { type: "http.response.start", status: 200 },
      ],
      'expected "http.response.body"',
    ],
    [
      "a status that is not final",
      [{ type: "http.response.start", status: 101 }],
      "expected a final response status from 200 to 599, got 101",
    ],
    [
      "a header that breaks its line",
      [{ type: "http.response.start", status: 200, headers: [["a", "b\n"]] }],
      "without control characters",
    ],
  ])("refuses %s: an error in the application, 500 on the wire", async (_, events, message) => {
    run(async (_scope, _receive, send) => {
      for (const event of events) await send(event as Parameters<typeof send>[0]);
    });
    await turn();
    expect(transport.calls).toEqual([["respond", 500, expect.anything(), "Internal Server Error\n"]]);
    expect(String(logger.errors[0])).toContain(message);
  });

  it("is complete once: more is a ProtocolError in the log and nothing on the wire", async () => {
    run(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body" });
      await send({ type: "http.response.body" });
    });
    await turn();
    expect(transport.calls).toHaveLength(1);
    expect(logger.errors).toEqual([expect.any(ProtocolError)]);
    expect(finished).toBe(1);
  });
});

describe("what goes wrong", () => {
  it.each([
    ["RouteNotFound", new RouteNotFound("none"), 404, 0],
    ["DenyConnection", new DenyConnection({ status: 401 }), 401, 0],
    ["any error", new Error("boom"), 500, 1],
  ])("%s before the response becomes one", async (_, error, status, logged) => {
    run(async () => {
      throw error;
    });
    await turn();
    expect(transport.calls).toEqual([["respond", status, expect.anything(), expect.anything()]]);
    expect(logger.errors).toHaveLength(logged);
    expect(finished).toBe(1);
  });

  it("cuts the connection after an error within the response", async () => {
    run(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", moreBody: true });
      throw new Error("boom");
    });
    await turn();
    expect(transport.calls.at(-1)).toEqual(["abort"]);
    expect(logger.errors).toEqual([new Error("boom")]);
    expect(finished).toBe(1);
  });

  it("answers 500 for an application that returns without a response", () => {
    run(() => {});
    expect(transport.calls).toEqual([["respond", 500, expect.anything(), expect.anything()]]);
    expect(logger.errors).toEqual([expect.any(ProtocolError)]);
  });

  it("tells the application that the client has gone, and its later events that they are late", async () => {
    let late: unknown;
    const session = run(async (_scope, receive, send) => {
      expect((await receive()).type).toBe("http.request");
      expect((await receive()).type).toBe("http.disconnect");
      try {
        await send({ type: "http.response.start", status: 200 });
      } catch (error) {
        late = error;
        throw error;
      }
    });
    session.data(empty, true);
    const signal = session.signal();
    session.aborted();
    await turn();
    expect(late).toBeInstanceOf(ClientDisconnected);
    expect(signal.aborted).toBe(true);
    expect([transport.calls, logger.lines, finished]).toEqual([[], [], 1]);
  });

  it("delivers http.disconnect when the response is complete", async () => {
    const types: string[] = [];
    const session = run((_scope, receive, send) =>
      receive.pipe(async (event) => {
        types.push(event.type);
        if (event.type !== "http.request") return;
        await send({ type: "http.response.start", status: 204 });
        await send({ type: "http.response.body" });
      }),
    );
    session.data(empty, true);
    await turn();
    expect(types).toEqual(["http.request", "http.disconnect"]);
    expect(finished).toBe(1);
  });
});

describe("a request body", () => {
  it("comes in pieces, and stops the client while the application is busy", async () => {
    let release: () => void = () => {};
    const bodies: number[] = [];
    const session = run(
      (_scope, receive) =>
        receive.pipe((event) => {
          if (event.type !== "http.request") return;
          bodies.push(event.body.byteLength);
          return new Promise<void>((resolve) => {
            release = resolve;
          });
        }),
      { maxInboxBytes: 10 },
    );
    for (const size of [1, 6, 6]) session.data(new Uint8Array(size), false);
    expect(transport.calls).toEqual([["pause"]]);
    release();
    await turn();
    expect(transport.calls).toEqual([["pause"]]);
    release();
    await turn();
    expect(bodies).toEqual([1, 6, 6]);
    expect(transport.calls).toEqual([["pause"], ["resume"]]);
  });
});

describe("a request body beyond the limit", () => {
  it("is answered 413 where the response has not begun, and the application is told", async () => {
    const events: unknown[] = [];
    let out: Send<"http"> = () => {};
    const session = run(
      (_scope, receive, send) => {
        out = send;
        return receive.pipe((event) => {
          events.push(event.type === "http.request" ? event.body.byteLength : event.type);
        });
      },
      { maxBodySize: 10 },
    );
    void out({ type: "http.response.start", status: 200 });
    session.data(new Uint8Array(4), false);
    session.data(new Uint8Array(6), false);
    expect(transport.calls).toEqual([]);
    session.data(new Uint8Array(1), false);
    session.data(new Uint8Array(1), true);
    await turn();
    expect(transport.calls).toEqual([
      ["respond", 413, expect.arrayContaining([["connection", "close"]]), "Content Too Large\n"],
    ]);
    expect(events).toEqual([4, 6, "http.disconnect"]);
    expect(() => out({ type: "http.response.body" })).toThrow(ClientDisconnected);
    expect(session.signal().aborted).toBe(true);
    expect(logger.lines).toEqual([]);
    expect(finished).toBe(1);
  });

  it("cuts a response that has begun", async () => {
    const session = run(
      async (_scope, receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: "a", moreBody: true });
        await receive.pipe(() => {});
      },
      { maxBodySize: 10 },
    );
    await turn();
    session.data(new Uint8Array(11), true);
    await turn();
    expect(transport.calls.at(-1)).toEqual(["abort"]);
    expect(finished).toBe(1);
  });

  it("is nobody's business once the response is complete", () => {
    const session = run(
      (_scope, _receive, send) => {
        void send({ type: "http.response.start", status: 200 });
        void send({ type: "http.response.body", body: "early" });
      },
      { maxBodySize: 10 },
    );
    session.data(new Uint8Array(11), true);
    expect(transport.calls).toEqual([["respond", 200, [], "early"]]);
  });
});

describe("the time an application may take", () => {
  it("ends with 503 before the response began", async () => {
    let out: Send<"http"> = () => {};
    run(
      (_scope, receive, send) => {
        out = send;
        return receive.pipe(() => {});
      },
      { httpTimeout: 1_000 },
    );
    await clock.advance(999);
    expect(transport.calls).toEqual([]);
    await clock.advance(1);
    expect(transport.calls).toEqual([["respond", 503, expect.anything(), expect.anything()]]);
    expect(() => out({ type: "http.response.start", status: 200 })).toThrow(ClientDisconnected);
  });

  it("cuts a response that stands still, and leaves one alone that goes on", async () => {
    let out: Send<"http"> = () => {};
    run(
      (_scope, receive, send) => {
        out = send;
        return receive.pipe(() => {});
      },
      { httpTimeout: 1_000 },
    );
    void out({ type: "http.response.start", status: 200 });
    for (let beat = 0; beat < 5; beat++) {
      void out({ type: "http.response.body", body: "beat", moreBody: true });
      await clock.advance(900);
    }
    expect(transport.calls.at(-1)).toEqual(["write", "beat"]);
    await clock.advance(1_000);
    expect(transport.calls.at(-1)).toEqual(["abort"]);
    expect(finished).toBe(1);
  });

  it("is unlimited where it is 0, and over when the response is complete", () => {
    run((_scope, receive) => receive.pipe(() => {}), { httpTimeout: 0 });
    expect(clock.pending).toBe(0);
    run((_scope, _receive, send) => {
      void send({ type: "http.response.start", status: 200 });
      void send({ type: "http.response.body" });
    });
    expect(clock.pending).toBe(0);
  });
});

describe("a response that is complete and still on its way", () => {
  const answer: App<"http"> = async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "long" });
  };

  it.each<[string, (session: HttpSession) => void, boolean]>([
    ["it has left", (session) => session.sent(), false],
    ["the client has gone", (session) => session.aborted(), false],
  ])("keeps the session until %s", async (_what, end, aborted) => {
    const session = run(answer, {}, { takes: false });
    const signal = session.signal();
    await turn();
    expect(finished).toBe(0);
    end(session);
    expect(finished).toBe(1);
    expect(signal.aborted).toBe(aborted);
    end(session);
    expect(finished).toBe(1);
  });

  it("keeps no application that has been told", async () => {
    const types: string[] = [];
    const session = run(
      async (scope, receive, send) => {
        await answer(scope, receive, send);
        types.push((await receive()).type);
      },
      {},
      { takes: false },
    );
    await turn();
    expect(types).toEqual(["http.disconnect"]);
    session.giveUp();
    expect(finished).toBe(0);
    session.sent();
    expect(finished).toBe(1);
  });

  it("keeps the session of an application that has not returned", async () => {
    let goOn = (): void => {};
    run(async (scope, receive, send) => {
      await answer(scope, receive, send);
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    });
    await turn();
    expect(finished).toBe(0);
    goOn();
    await turn();
    expect(finished).toBe(1);
  });
});

describe("a server that goes away", () => {
  /** Begins an event stream if asked to, and returns when it is told of the end. */
  const waiting = (begins: boolean): App<"http"> => {
    return async (_scope, receive, send) => {
      if (begins) {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: "a", moreBody: true });
      }
      await receive.pipe(() => {});
    };
  };
  const unavailable = ["respond", 503, expect.arrayContaining([["connection", "close"]]), expect.anything()];

  it.each<[string, boolean, unknown[][]]>([
    ["ends a stream that has begun", true, [["start", 200, []], ["write", "a"], ["end"]]],
    ["answers 503 where none has", false, [unavailable]],
  ])("%s when the application returns for it", async (_what, begins, calls) => {
    const session = run(waiting(begins));
    const signal = session.signal();
    session.data(empty, true);
    session.shutdown();
    await turn();
    expect(transport.calls).toEqual(calls);
    expect(signal.aborted).toBe(false);
    expect([finished, logger.lines]).toEqual([1, []]);
    expect(clock.pending).toBe(0);
  });

  it("takes it for the same when the application reads on", async () => {
    const session = run(async (_scope, receive) => {
      for (;;) await receive();
    });
    session.data(empty, true);
    session.shutdown();
    await turn();
    expect(transport.calls).toEqual([unavailable]);
    expect(logger.lines).toEqual([]);
  });

  it("lets what is still sent go out", async () => {
    const types: string[] = [];
    const session = run(async (scope, receive, send) => {
      while (types.at(-1) !== "http.disconnect") types.push((await receive()).type);
      expect(scope.signal().aborted).toBe(false);
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", moreBody: true });
      await send({ type: "http.response.body", body: "b" });
    });
    session.data(empty, true);
    session.shutdown();
    await turn();
    expect(types).toEqual(["http.request", "http.disconnect"]);
    expect(transport.calls).toEqual([["start", 200, []], ["write", "a"], ["write", "b"], ["end"]]);
    expect(finished).toBe(1);
  });

  it("tells an application only when it has the whole request", async () => {
    const events: unknown[] = [];
    const session = run((_scope, receive) =>
      receive.pipe((event) => {
        events.push(event.type === "http.request" ? event.moreBody : event.type);
      }),
    );
    session.data(new Uint8Array(1), false);
    session.shutdown();
    await turn();
    expect(events).toEqual([true]);
    session.data(empty, true);
    await turn();
    expect(events).toEqual([true, false, "http.disconnect"]);
  });

  it("gives up what has not ended, and then the signal aborts", async () => {
    let out: Send<"http"> = () => {};
    const session = run(async (_scope, _receive, send) => {
      out = send;
      await new Promise(() => {});
    });
    const signal = session.signal();
    session.data(empty, true);
    session.shutdown();
    session.giveUp();
    session.giveUp();
    expect(transport.calls).toEqual([unavailable]);
    expect(signal.aborted).toBe(true);
    expect(() => out({ type: "http.response.start", status: 200 })).toThrow(ClientDisconnected);
  });

  it("has an application that fails meanwhile in the log, as ever", async () => {
    const session = run(async (_scope, receive) => {
      await receive.pipe(() => {});
      throw new Error("boom");
    });
    session.data(empty, true);
    session.shutdown();
    await turn();
    expect(transport.calls).toEqual([["respond", 500, expect.anything(), expect.anything()]]);
    expect(logger.errors).toEqual([new Error("boom")]);
  });
});

it("waits no longer than the time-out, wherever the clock is set", () => {
  const wallClock = new WallClock();
  const session = new HttpSession(transport, {
    clock: wallClock,
    logger,
    limits: { ...defaultLimits, httpTimeout: 1_000 },
    counts: new Counts(),
    onFinished: () => {},
  });
  session.run((_scope, receive) => receive.pipe(() => {}), scope);
  wallClock.time = 0;
  wallClock.runNext();
  expect(wallClock.waits).toEqual([1_000, 1_000]);
});
