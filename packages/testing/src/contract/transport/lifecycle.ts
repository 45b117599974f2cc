import { once } from "node:events";
import { connect } from "node:net";
import type { App, State } from "@sluice/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { RecordingLogger } from "../../recording-logger.js";
import { answering } from "./applications.js";
import { deferred } from "./deferred.js";
import { closeOf, opcode } from "./frame.js";
import { compose, realIo, start, type TransportContract, testIfCapable } from "./harness.js";
import type { Headers } from "./http-exchange.js";
import { headerLines, RawClient } from "./raw-client.js";
import { handshake, request } from "./request-text.js";
import { WebSocketClient } from "./websocket-client.js";

/** Starts, tells what happens and stops when it is told to. */
const lifespan = (log: string[], prepare: (state: State) => unknown = () => {}): App<"lifespan"> => {
  return async (scope, receive, send) => {
    await receive();
    await prepare(scope.state);
    log.push("started");
    await send({ type: "lifespan.startup.complete" });
    await receive();
    log.push("stopped");
    await send({ type: "lifespan.shutdown.complete" });
  };
};

/** Accepts, and stays until it is told of the end. */
const stay = (log: unknown[]): App<"websocket"> => {
  return async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive.pipe((event) => {
      if (event.type === "websocket.disconnect") log.push(event);
    });
  };
};

/** More than the operating systems on both sides hold. */
const longLength = 20 * 1024 * 1024;

export function lifecycle(contract: TransportContract): void {
  /** The code of the error that connecting fails with. */
  const refusal = (port: number): Promise<unknown> => {
    const socket = connect({ port, host: "127.0.0.1" });
    onTestFinished(() => void socket.destroy());
    return once(socket, "connect").then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
  };

  describe("starting", () => {
    test("comes before listening, and what it leaves is every connection's state", async () => {
      const log: string[] = [];
      const { port, server } = await start(contract, {
        lifespan: lifespan(log, (state) => {
          state.pool = "the pool";
        }),
        http: async (scope, _receive, send) => {
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", body: String(scope.state.pool) });
        },
      });
      expect(log).toEqual(["started"]);
      expect(server.url).toBe(`http://127.0.0.1:${port}`);
      expect(port).toBeGreaterThan(0);
      expect((await (await RawClient.send(port, request("GET", "/"))).response()).body.toString()).toBe("the pool");
    });

    test("fails with what the application throws, and nothing listens", async () => {
      const { port, server } = await start(contract, {});
      await server.close();
      const app = compose({ lifespan: () => Promise.reject(new Error("no database")) });
      await expect(contract.serve(app, { port, logger: new RecordingLogger() })).rejects.toThrow("no database");
      expect(await refusal(port)).toBe("ECONNREFUSED");
    });

    test("fails with EADDRINUSE if the port is taken, and stops the application", async () => {
      const { port } = await start(contract, {});
      const log: string[] = [];
      const app = compose({ lifespan: lifespan(log) });
      await expect(contract.serve(app, { port, logger: new RecordingLogger() })).rejects.toMatchObject({
        code: "EADDRINUSE",
        message: expect.stringContaining(String(port)),
      });
      expect(log).toEqual(["started", "stopped"]);
    });
  });

  describe("stopping", () => {
    test("closes WebSockets with 1012, lets them end, and then stops the application", async () => {
      const log: unknown[] = [];
      const strings: string[] = [];
      const { port, server } = await start(contract, {
        lifespan: lifespan(strings),
        websocket: async (scope, receive, send) => {
          await stay(log)(scope, receive, send);
          await realIo();
          strings.push("cleaned up");
        },
      });
      const clients = await Promise.all(Array.from({ length: 20 }, () => WebSocketClient.open(port)));
      await server.close();
      for (const client of clients) expect(await client.closed).toEqual({ code: 1012, reason: "service restart" });
      expect(log).toHaveLength(20);
      expect(log[0]).toEqual({ type: "websocket.disconnect", code: 1012, reason: "service restart" });
      expect(strings).toEqual(["started", ...Array.from({ length: 20 }, () => "cleaned up"), "stopped"]);
      expect(server.connections).toEqual({ http: 0, websocket: 0 });
      expect(await refusal(port)).toBe("ECONNREFUSED");
    });

    test("gets the close frame to a client that has not read what came before it", async () => {
      const { port, server } = await start(contract, {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          await send({ type: "websocket.send", text: "before" });
          await receive.pipe(() => {});
        },
      });
      const client = await RawClient.upgrade(port);
      await server.close();
      expect((await client.frame()).payload.toString()).toBe("before");
      const close = await client.frame();
      expect(close.opcode).toBe(opcode.close);
      expect(closeOf(close).code).toBe(1012);
    });

    test("gets all it was sent, and then the close frame, to a client that is behind", async () => {
      const sent = deferred();
      const told = deferred<unknown>();
      const { port, server } = await start(contract, {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          void send({ type: "websocket.send", bytes: Buffer.alloc(longLength, "0123456789abcdef") });
          sent.resolve();
          await receive.pipe((event) => (event.type === "websocket.disconnect" ? told.resolve(event) : undefined));
        },
      });
      const client = await WebSocketClient.open(port);
      client.socket.pause();
      await sent.promise;
      const closed = server.close({ deadline: 20_000 });
      expect(await told.promise).toEqual({ type: "websocket.disconnect", code: 1012, reason: "service restart" });
      for (let turn = 0; turn < 20; turn += 1) await realIo();
      expect(server.connections.websocket).toBe(1);
      client.socket.resume();
      const message = Buffer.from(await client.next());
      expect(message.equals(Buffer.alloc(longLength, "0123456789abcdef"))).toBe(true);
      expect(await client.closed).toEqual({ code: 1012, reason: "service restart" });
      await closed;
      expect(server.connections.websocket).toBe(0);
    });

    const getsLongAnswer = async (headers: Headers, pieces: number): Promise<void> => {
      const { port, server } = await start(
        contract,
        {
          http: async (_scope, _receive, send) => {
            await send({ type: "http.response.start", status: 200, headers });
            for (let left = pieces - 1; left >= 0; left -= 1) {
              const body = Buffer.alloc(longLength / pieces, "0123456789abcdef");
              void send({ type: "http.response.body", body, moreBody: left > 0 });
              // What waits is the server's own.
              body.fill(0);
            }
          },
        },
        { maxBackpressure: 2 * longLength },
      );
      const client = await RawClient.send(port, request("GET", "/"));
      client.socket.pause();
      for (let turn = 0; turn < 20; turn += 1) await realIo();
      const closed = server.close({ deadline: 20_000 });
      for (let turn = 0; turn < 20; turn += 1) await realIo();
      expect(server.connections.http).toBe(1);
      client.socket.resume();
      expect((await client.response()).body.equals(Buffer.alloc(longLength, "0123456789abcdef"))).toBe(true);
      await closed;
      expect(server.connections.http).toBe(0);
    };

    testIfCapable(contract, "waitsForWholeBodies", "gets a long answer to a client that pauses", () =>
      getsLongAnswer([], 1),
    );

    testIfCapable(contract, "waitsForStreams", "gets a long answer in pieces to a client that pauses", () =>
      getsLongAnswer([], 20),
    );

    testIfCapable(contract, "waitsForStreams", "gets a long answer of known length to a client that pauses", () =>
      getsLongAnswer([["content-length", String(longLength)]], 20),
    );

    test("answers a handshake that waits with 503", async () => {
      const called = deferred();
      const { port, server } = await start(contract, {
        websocket: async (_scope, receive) => {
          await receive();
          called.resolve();
          await receive();
        },
      });
      const client = await RawClient.send(port, handshake("/"));
      await called.promise;
      await server.close();
      expect((await client.response()).status).toBe(503);
    });

    test("lets a request be answered, and takes no other one", async () => {
      const called = deferred();
      const goOn = deferred();
      const { port, server } = await start(contract, {
        http: async (_scope, _receive, send) => {
          called.resolve();
          await goOn.promise;
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", body: "in time" });
        },
      });
      const busy = await RawClient.send(port, request("GET", "/"));
      await called.promise;
      const idle = await RawClient.connect(port);
      const closed = server.close({ deadline: 10_000 });
      expect(await refusal(port)).toBe("ECONNREFUSED");
      idle.write(request("GET", "/"));
      // Where the connection was not ended right away.
      const refused = await idle.response().catch(() => undefined);
      if (refused !== undefined) {
        expect(refused.status).toBe(503);
        expect(headerLines(refused, "connection")).toEqual(["close"]);
      }
      goOn.resolve();
      expect((await busy.response()).body.toString()).toBe("in time");
      await closed;
    });

    test("tells an application that waits, which ends an event stream and answers 503 for what has not begun", async () => {
      const called = { "/": deferred(), "/events": deferred() };
      const log: string[] = [];
      const { port, server, logger } = await start(contract, {
        lifespan: lifespan(log),
        http: async (scope, receive, send) => {
          if (scope.path === "/events") {
            await send({ type: "http.response.start", status: 200 });
            await send({ type: "http.response.body", body: "hello", moreBody: true });
          }
          called[scope.path === "/events" ? "/events" : "/"].resolve();
          for (let event = await receive(); event.type !== "http.disconnect"; ) event = await receive();
          await realIo();
          log.push(scope.signal().aborted ? "cut" : "cleaned up");
        },
      });
      const poll = await RawClient.send(port, request("GET", "/"));
      const events = await RawClient.send(port, request("GET", "/events"));
      await Promise.all([called["/"].promise, called["/events"].promise]);
      await server.close({ deadline: 20_000 });
      expect((await events.response()).body.toString()).toBe("hello");
      const answer = await poll.response();
      expect(answer.status).toBe(503);
      expect(log).toEqual(["started", "cleaned up", "cleaned up", "stopped"]);
      expect(logger.lines).toEqual([]);
    });

    test("does not wait for ever: requests are given up in time, and their applications are told", async () => {
      const called = deferred();
      const log: string[] = [];
      const { port, server, logger } = await start(contract, {
        lifespan: lifespan(log),
        http: async (scope, _receive) => {
          const signal = scope.signal();
          called.resolve();
          await once(signal, "abort");
          log.push("cut");
        },
      });
      const client = await RawClient.send(port, request("GET", "/"));
      await called.promise;
      await server.close({ deadline: 1 });
      expect((await client.response()).status).toBe(503);
      expect(log).toEqual(["started", "cut", "stopped"]);
      expect(logger.lines).toEqual([expect.objectContaining({ level: "warn", fields: { http: 1 } })]);
    });

    test("cuts a connection that is kept alive with nothing to do", { timeout: 5_000 }, async () => {
      const { port, server } = await start(contract, { http: answering("ok") });
      const client = await RawClient.send(port, request("GET", "/"));
      await client.response();
      await server.close();
      expect(await client.rest()).toHaveLength(0);
    });

    test("happens once", async () => {
      const log: string[] = [];
      const { server } = await start(contract, { lifespan: lifespan(log) });
      await Promise.all([server.close(), server.close()]);
      await server.close();
      expect(log).toEqual(["started", "stopped"]);
    });

    test("may be asked for by a connection's own application", async () => {
      const closed = deferred<Promise<void>>();
      const site = await start(contract, {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          await receive.pipe((event) => {
            if (event.type === "websocket.receive") closed.resolve(site.server.close());
          });
        },
      });
      const client = await WebSocketClient.open(site.port);
      client.socket.send("stop");
      await closed.promise;
      expect(await client.closed).toMatchObject({ code: 1012 });
    });
  });
}
