import type { App } from "@sluice/core";
import { expect, test } from "vitest";
import { acceptAndStay } from "./applications.js";
import { deferred } from "./deferred.js";
import { frame, opcode } from "./frame.js";
import { type Applications, realIo, start, type TransportContract } from "./harness.js";
import { RawClient } from "./raw-client.js";
import { handshake, request } from "./request-text.js";
import { WebSocketClient } from "./websocket-client.js";

/** How many connections are opened and dropped, and how many of them at a time. */
const drops = 10_000;
const atOnce = 250;

/** What is not an error can be thrown, too. */
const thrown: unknown[] = [new Error("boom"), "boom", undefined, null, { code: "EBOOM" }];

export function faults(contract: TransportContract): void {
  test("an application that throws everywhere ends neither the process nor the server", async () => {
    let next = 0;
    const fail = (): never => {
      next += 1;
      throw thrown[next % thrown.length];
    };
    /** Fails in the way that the path names. */
    const ways: Record<string, App<"websocket">> = {
      "/sync": fail,
      "/async": async () => fail(),
      "/later": async () => {
        await realIo();
        fail();
      },
      "/accepted": async (_scope, _receive, send) => {
        await send({ type: "websocket.accept" });
        fail();
      },
      "/accepted-later": async (_scope, _receive, send) => {
        await send({ type: "websocket.accept" });
        await realIo();
        fail();
      },
      "/message": async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe((event) => (event.type === "websocket.receive" ? fail() : undefined));
      },
      "/message-later": async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe(async (event) => {
          await realIo();
          if (event.type === "websocket.receive") fail();
        });
      },
      "/disconnect": async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe((event) => (event.type === "websocket.disconnect" ? fail() : undefined));
      },
      "/closed": async (_scope, _receive, send) => {
        await send({ type: "websocket.accept" });
        await send({ type: "websocket.close" });
        fail();
      },
      "/denied": async (_scope, _receive, send) => {
        await send({ type: "websocket.close" });
        fail();
      },
    };
    const applications: Applications = {
      websocket: (scope, receive, send) => ways[scope.path]?.(scope, receive, send),
      http: async (scope, receive, send) => {
        if (scope.path === "/ok") {
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", body: "alive" });
          return;
        }
        await receive();
        if (scope.path === "/streaming") {
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", body: "some", moreBody: true });
        }
        fail();
      },
    };
    const { port, server } = await start(contract, applications);
    for (let round = 0; round < thrown.length; round += 1) {
      for (const path of Object.keys(ways)) {
        const client = await RawClient.send(port, handshake(path));
        if ((await client.response()).status === 101) {
          client.write(frame(opcode.text, "go"));
          client.write(frame(opcode.close));
          await client.rest();
        }
      }
      expect((await (await RawClient.send(port, request("GET", "/"))).response()).status).toBe(500);
      await (await RawClient.send(port, request("GET", "/streaming"))).rest();
    }
    const client = await RawClient.send(port, request("GET", "/ok"));
    expect((await client.response()).body.toString()).toBe("alive");
    // Some fail a while after their client has gone.
    await expect.poll(() => next).toBe(thrown.length * (Object.keys(ways).length + 2));
    await expect.poll(() => server.connections).toEqual({ http: 0, websocket: 0 });
  });

  test("bytes that are no request do not stop the server", async () => {
    const { port, server } = await start(contract, {});
    const nonsense = [
      "\0\0\0\0",
      "\r\n\r\n\r\n",
      "GET\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\x16\x03\x01\x02\0\x01",
    ];
    for (const bytes of [...nonsense, `GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`]) {
      const client = await RawClient.send(port, bytes);
      client.socket.end();
      await client.rest();
    }
    expect((await (await RawClient.send(port, request("GET", "/%ff"))).response()).status).toBe(400);
    expect(server.connections).toEqual({ http: 0, websocket: 0 });
  });

  test(`${drops.toLocaleString("en")} connections dropped on the way in leave nothing behind`, {
    timeout: 120_000,
  }, async () => {
    let running = 0;
    let seen = 0;
    const allGone = deferred();
    /** Waits for an end that comes before it has answered. */
    const waiting: App<"websocket"> = async (_scope, receive) => {
      running += 1;
      seen += 1;
      for (let event = await receive(); event.type !== "websocket.disconnect"; ) event = await receive();
      running -= 1;
      if (running === 0 && sent) allGone.resolve();
    };
    let sent = false;
    const websocket: App<"websocket"> = (scope, receive, send) =>
      (scope.path === "/stay" ? acceptAndStay : waiting)(scope, receive, send);
    // Nothing but the client's going may end them.
    const limits = { handshakeTimeout: 600_000 };
    const { port, server, logger } = await start(contract, { websocket }, { limits });
    const whole = handshake("/");
    const pieces = [
      "",
      whole.slice(0, whole.length / 2),
      whole,
      `${whole}${frame(opcode.text, "too early").toString("latin1")}`,
    ];
    for (let done = 0; done < drops; done += atOnce) {
      await Promise.all(
        Array.from({ length: atOnce }, async (_, index) => {
          const client = await RawClient.send(port, pieces[index % pieces.length] ?? "");
          await realIo();
          if (index % 8 < 4) client.socket.resetAndDestroy();
          else client.socket.destroy();
          await client.gone;
        }),
      );
    }
    sent = true;
    // The server reads in order, so by then it knows of all that were dropped before.
    const client = await WebSocketClient.open(port, "/stay");
    if (running > 0) await allGone.promise;
    expect(seen).toBeGreaterThan(drops / 4);
    client.socket.close();
    await client.closed;
    await realIo();
    expect(server.connections).toEqual({ http: 0, websocket: 0 });
    expect(logger.errors).toEqual([]);
  });
}
