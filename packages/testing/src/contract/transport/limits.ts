import { type App, ClientDisconnected, type ReceiveEvent } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { FakeClock } from "../../fake-clock.js";
import { acceptAndStay, answering } from "./applications.js";
import { deferred } from "./deferred.js";
import { realIo, start, type TransportContract, testIfCapable } from "./harness.js";
import { turns } from "./http-exchange.js";
import { headerLines, RawClient, type RawResponse } from "./raw-client.js";
import { handshake, request } from "./request-text.js";
import { WebSocketClient } from "./websocket-client.js";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Resolves `called`, and then waits for the end, whose type it hands to `ended`. */
const waiting = (called: () => void, ended: (type: string) => void = () => {}): App<"http"> => {
  return async (_scope, receive) => {
    called();
    let event: ReceiveEvent<"http"> = await receive();
    while (event.type !== "http.disconnect") event = await receive();
    ended(event.type);
  };
};

export function limits(contract: TransportContract): void {
  const answer = async (port: number, bytes: string): Promise<RawResponse> =>
    (await RawClient.send(port, bytes)).response();

  /** Counts how often the application was called. */
  const counting = (body: string): { readonly http: App<"http">; readonly calls: () => number } => {
    let calls = 0;
    return {
      http: (scope, receive, send) => {
        calls += 1;
        return answering(body)(scope, receive, send);
      },
      calls: () => calls,
    };
  };

  describe("a request body", () => {
    test("of the maximum size is served; one whose length says more is answered 413 before the application runs", async () => {
      const { http, calls } = counting("served");
      const { port } = await start(contract, { http }, { limits: { maxBodySize: 1000 } });
      expect((await answer(port, request("POST", "/", [], "x".repeat(1000)))).status).toBe(200);
      const client = await RawClient.send(port, request("POST", "/", ["Content-Length: 1001"]));
      const response = await client.response();
      expect(response.status).toBe(413);
      // A parser that sees the rest unread may say it, too.
      expect([...new Set(headerLines(response, "connection"))]).toEqual(["close"]);
      if (contract.lacks?.endsConnections === undefined) await client.rest();
      expect(calls()).toBe(1);
    });

    test("in chunks that grow beyond it is answered 413, and the application is told", async () => {
      const called = deferred();
      const ended = deferred<string>();
      const http = waiting(called.resolve, ended.resolve);
      const { port, server, logger } = await start(contract, { http }, { limits: { maxBodySize: 1000 } });
      const client = await RawClient.send(port, request("POST", "/", ["Transfer-Encoding: chunked"]));
      await called.promise;
      client.write(`3e8\r\n${"x".repeat(1000)}\r\n`);
      await realIo();
      expect(client.received).toBe(0);
      client.write("1\r\nx\r\n");
      expect((await client.response()).status).toBe(413);
      expect(await ended.promise).toBe("http.disconnect");
      expect(logger.lines).toEqual([]);
      await expect.poll(() => server.connections.http).toBe(0);
    });

    test("that grows beyond it while the response is on its way cuts the connection", async () => {
      const { port } = await start(
        contract,
        {
          http: async (scope, receive, send) => {
            await send({ type: "http.response.start", status: 200 });
            await send({ type: "http.response.body", body: "begun", moreBody: true });
            await waiting(() => {})(scope, receive, send);
          },
        },
        { limits: { maxBodySize: 1000 } },
      );
      const client = await RawClient.send(port, request("POST", "/", ["Transfer-Encoding: chunked"]));
      await client.head();
      expect((await client.chunk()).toString()).toBe("begun");
      client.write(`3e9\r\n${"x".repeat(1001)}\r\n`);
      // The end of the connection, not of the body.
      expect((await client.rest()).toString().trim()).toBe("");
    });
  });

  describe("headers", () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `X-${index}: ${index}`);

    testIfCapable(
      contract,
      "answersManyHeaders",
      "of too many lines are answered 431 before the application runs, and the server lives",
      async () => {
        const { http, calls } = counting("served");
        const { port } = await start(contract, { http });
        expect((await answer(port, request("GET", "/", lines))).status).toBe(431);
        expect((await answer(port, handshake("/", { lines }))).status).toBe(431);
        expect(calls()).toBe(0);
        expect((await answer(port, request("GET", "/"))).status).toBe(200);
      },
    );

    test("are counted: as many as the limit are served, one more is not", async () => {
      const { http, calls } = counting("served");
      const { port } = await start(contract, { http, websocket: acceptAndStay }, { limits: { maxHeaders: 10 } });
      // One is Host, and four more make a handshake.
      expect((await answer(port, request("GET", "/", lines.slice(0, 9)))).status).toBe(200);
      expect((await answer(port, request("GET", "/", lines.slice(0, 10)))).status).toBe(431);
      expect((await answer(port, handshake("/", { lines: lines.slice(0, 5) }))).status).toBe(101);
      expect((await answer(port, handshake("/", { lines: lines.slice(0, 6) }))).status).toBe(431);
      expect(calls()).toBe(1);
    });

    test("of too many bytes are answered 431 before the application runs", async () => {
      const { http, calls } = counting("served");
      const { port } = await start(contract, { http }, { limits: { maxHeaderSize: kibibyte } });
      // With the colon, the space and the end of each line.
      const value = "x".repeat(kibibyte - "host: test.example\r\n".length - "x-a: \r\n".length);
      expect((await answer(port, request("GET", "/", [`X-A: ${value}`]))).status).toBe(200);
      expect((await answer(port, request("GET", "/", [`X-A: ${value}x`]))).status).toBe(431);
      expect(calls()).toBe(1);
    });

    testIfCapable(
      contract,
      "readsThousandHeaders",
      "are delivered, a thousand of them, where they may be",
      async () => {
        const { port } = await start(
          contract,
          { http: (scope, receive, send) => answering(JSON.stringify(scope.headers))(scope, receive, send) },
          { limits: { maxHeaders: 1_200, maxHeaderSize: 256 * kibibyte } },
        );
        const { body } = await answer(port, request("GET", "/", lines));
        expect(JSON.parse(body.toString())).toEqual([
          ["host", "test.example"],
          ...lines.map((_, index) => [`x-${index}`, String(index)]),
        ]);
      },
    );
  });

  describe("connections", () => {
    test("beyond the limit are refused with 503 until there is room again", async () => {
      const { http, calls } = counting("served");
      const ended = deferred();
      const { port, server, logger } = await start(
        contract,
        {
          http,
          websocket: async (scope, receive, send) => {
            await acceptAndStay(scope, receive, send);
            ended.resolve();
          },
        },
        { limits: { maxConnections: 1 }, clock: new FakeClock() },
      );
      const client = await WebSocketClient.open(port);
      for (const bytes of [request("GET", "/"), handshake("/")]) {
        const response = await answer(port, bytes);
        expect(response.status).toBe(503);
        expect(headerLines(response, "retry-after")).toEqual(["1"]);
      }
      expect(calls()).toBe(0);
      expect(server.counts.refused).toBe(2);
      expect(logger.lines).toMatchObject([{ level: "warn", fields: { limit: "maxConnections", refused: 1 } }]);
      client.socket.close();
      await ended.promise;
      await expect.poll(() => server.connections.websocket).toBe(0);
      expect((await answer(port, request("GET", "/"))).status).toBe(200);
    });

    test("are counted by the address of the client, behind a proxy that is trusted", async () => {
      const { http } = counting("served");
      const { port, server } = await start(
        contract,
        { http, websocket: acceptAndStay },
        { limits: { maxConnectionsPerAddress: 1 }, trustedProxies: ["127.0.0.1"] },
      );
      const from = (address: string): string[] => [`X-Forwarded-For: ${address}`];
      await RawClient.upgrade(port, "/", { lines: from("2001:db8::1") });
      expect((await answer(port, request("GET", "/", from("2001:db8::2")))).status).toBe(503);
      expect((await answer(port, request("GET", "/", from("2001:db8:0:1::2")))).status).toBe(200);
      expect(server.counts.refused).toBe(1);
    });

    test("open at a limited rate", async () => {
      const clock = new FakeClock();
      const { port } = await start(
        contract,
        { websocket: acceptAndStay },
        { limits: { maxHandshakesPerSecond: 2 }, clock },
      );
      const statuses = async (): Promise<number[]> => {
        const seen: number[] = [];
        for (let index = 0; index < 3; index += 1) seen.push((await answer(port, handshake("/"))).status);
        return seen;
      };
      expect(await statuses()).toEqual([101, 101, 503]);
      await clock.advance(500);
      expect(await statuses()).toEqual([101, 503, 503]);
    });

    test("end with 4408 after their maximum lifetime, and the application is told", async () => {
      const clock = new FakeClock();
      const end = deferred<ReceiveEvent<"websocket">>();
      const { port } = await start(
        contract,
        {
          websocket: async (_scope, receive, send) => {
            await send({ type: "websocket.accept" });
            await receive.pipe((event) => (event.type === "websocket.disconnect" ? end.resolve(event) : undefined));
          },
        },
        { limits: { maxLifetime: 60_000 }, clock },
      );
      const client = await WebSocketClient.open(port);
      await clock.advance(59_999);
      expect(client.socket.readyState).toBe(client.socket.OPEN);
      await clock.advance(1);
      expect(await client.closed).toEqual({ code: 4408, reason: "maximum lifetime" });
      expect(await end.promise).toMatchObject({ code: 4408 });
    });
  });

  test("a client that stops reading is closed with 1013 when the application has waited long enough", async () => {
    const clock = new FakeClock();
    const end = deferred<ReceiveEvent<"websocket">>();
    let sent = 0;
    let thrown: unknown;
    const { port, server, logger } = await start(
      contract,
      {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          const ended = receive.pipe((event) =>
            event.type === "websocket.disconnect" ? end.resolve(event) : undefined,
          );
          try {
            for (; ; sent += 1) await send({ type: "websocket.send", bytes: new Uint8Array(64 * kibibyte) });
          } catch (error) {
            thrown = error;
          }
          await ended;
        },
      },
      { limits: { sendTimeout: 10_000 }, clock },
    );
    const client = await WebSocketClient.open(port);
    client.socket.pause();
    // Until neither system takes any more.
    for (let before = -1; sent !== before; ) {
      before = sent;
      await turns(port);
    }
    await clock.advance(9_999);
    expect(server.counts.slowConsumers).toBe(0);
    // Once more where the system took the last bytes after the time had begun.
    await clock.advance(10_001);
    expect(await end.promise).toMatchObject({ code: 1013 });
    expect(server.counts.slowConsumers).toBe(1);
    expect(logger.lines).toMatchObject([{ level: "warn", message: "closed" }]);
    await expect.poll(() => thrown).toBeInstanceOf(ClientDisconnected);
    // Until then the client may take the rest.
    expect(server.connections.websocket).toBe(1);
    for (let wait = 0; wait < 2; wait += 1) {
      await clock.advance(15_000);
      await turns(port);
    }
    await expect.poll(() => server.connections.websocket).toBe(0);
  });

  const slowlyTaken = async (pieces: number): Promise<void> => {
    const size = 48 * mebibyte;
    const clock = new FakeClock();
    const goOn = deferred();
    const sent = deferred();
    const { port, server } = await start(
      contract,
      {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          await goOn.promise;
          for (let piece = 0; piece < pieces; piece += 1) {
            void send({ type: "websocket.send", bytes: new Uint8Array(size / pieces) });
          }
          sent.resolve();
          await receive.pipe(() => {});
        },
      },
      { limits: { sendTimeout: 10_000 }, maxBackpressure: 2 * size, clock },
    );
    const client = await RawClient.upgrade(port);
    let target = 0;
    client.socket.on("data", () => client.received >= target && client.socket.pause());
    client.socket.pause();
    goOn.resolve();
    await sent.promise;
    for (let look = 0; look < 3; look += 1) {
      await turns(port);
      target = client.received + 6 * mebibyte;
      client.socket.resume();
      await expect.poll(() => client.received).toBeGreaterThanOrEqual(target);
      await turns(port);
      await clock.advance(10_000);
      expect(server.counts.slowConsumers).toBe(0);
    }
    await clock.advance(10_000);
    expect(server.counts.slowConsumers).toBe(1);
  };

  test("a client that takes messages slowly is left alone until it takes nothing any more", () => slowlyTaken(48));

  testIfCapable(contract, "seesIntoMessages", "a client that takes a long message slowly is left alone as well", () =>
    slowlyTaken(1),
  );

  test("clients that were closed for slowness keep their places until they are gone", async () => {
    const clock = new FakeClock();
    let calls = 0;
    const { port, server } = await start(
      contract,
      {
        websocket: async (_scope, _receive, send) => {
          calls += 1;
          await send({ type: "websocket.accept" });
          for (let count = 0; ; count += 1) {
            // Not waiting is the fault under test. Now and then the systems are to take what they can.
            void send({ type: "websocket.send", bytes: new Uint8Array(64 * kibibyte) });
            if (count % 8 === 0) await realIo();
          }
        },
      },
      { limits: { maxConnections: 2 }, clock },
    );
    const clients: RawClient[] = [];
    for (let index = 0; index < 20; index += 1) {
      const client = await RawClient.connect(port);
      clients.push(client);
      client.socket.pause();
      client.write(handshake("/"));
      await expect.poll(() => server.counts.slowConsumers + server.counts.refused).toBe(index + 1);
    }
    expect([calls, server.counts.refused]).toEqual([2, 18]);
    expect(server.connections.websocket).toBe(2);
    clients[0]?.socket.destroy();
    await expect.poll(() => server.connections.websocket).toBe(1);
  });

  test("open WebSockets are closed batch by batch when the server drains", async () => {
    const clock = new FakeClock();
    const { port, server } = await start(contract, { websocket: acceptAndStay }, { clock });
    const clients = await Promise.all([0, 1, 2].map(() => WebSocketClient.open(port)));
    const closedAt: number[] = [];
    const began = clock.now();
    const codes = clients.map(async (client) => {
      const { code } = await client.closed;
      closedAt.push(clock.now() - began);
      return code;
    });
    const closed = server.close({ deadline: 10_000, drain: 3_000 });
    for (const count of [1, 2]) {
      await expect.poll(() => closedAt.length).toBe(count);
      await clock.advance(999);
      await turnsOfLoop();
      expect(closedAt).toHaveLength(count);
      await clock.advance(1);
    }
    expect(await Promise.all(codes)).toEqual([1012, 1012, 1012]);
    expect(closedAt).toEqual([0, 1000, 2000]);
    await closed;
  });
}

/** Enough for what the server wrote to have arrived. */
async function turnsOfLoop(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await realIo();
}
