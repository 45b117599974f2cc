import { connect } from "node:net";
import { systemClock } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { handshake, request, start, talk, telling } from "../test/site.js";
import { skipWithoutBinary } from "../test/skip-without-binary.js";

beforeEach(skipWithoutBinary);

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
