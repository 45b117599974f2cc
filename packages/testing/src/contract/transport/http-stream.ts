import { type App, ClientDisconnected, type MaybePromise } from "@sluice/core";
import { expect, test } from "vitest";
import { deferred } from "./deferred.js";
import { realIo, start, type TransportContract, testIfCapable } from "./harness.js";
import { type Headers, sending, turns, twice } from "./http-exchange.js";
import { headerLines, RawClient } from "./raw-client.js";
import { request } from "./request-text.js";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

export function httpStreams(contract: TransportContract): void {
  test("is chunked where its length is not known", async () => {
    const response = await twice(
      contract,
      sending(200, [["x-a", "b"]], "some ", "", Buffer.from("more "), "and the rest"),
    );
    expect(headerLines(response, "transfer-encoding")).toEqual(["chunked"]);
    expect(headerLines(response, "content-length")).toEqual([]);
    expect(headerLines(response, "x-a")).toEqual(["b"]);
    expect(response.body.toString()).toBe("some more and the rest");
  });

  test("may turn out to be empty", async () => {
    expect((await twice(contract, sending(200, [], "", ""))).body).toHaveLength(0);
    expect((await twice(contract, sending(200, [["content-length", "0"]], "", ""))).body).toHaveLength(0);
  });

  testIfCapable(
    contract,
    "announcesLength",
    "has the length that the application announces, and ends there",
    async () => {
      for (const last of ["rest", "rest and more than announced"]) {
        const response = await twice(contract, sending(200, [["Content-Length", "9"]], "some ", last));
        expect(headerLines(response, "content-length")).toEqual(["9"]);
        expect(headerLines(response, "transfer-encoding")).toEqual([]);
        expect(response.body.toString()).toBe("some rest");
      }
    },
  );

  testIfCapable(contract, "announcesLength", "is cut if it ends before the length that was announced", async () => {
    const { port } = await start(contract, { http: sending(200, [["content-length", "20"]], "some", "more") });
    const client = await RawClient.send(port, request("GET", "/"));
    await client.head();
    expect((await client.rest()).length).toBeLessThan(20);
  });

  test("says that the connection ends where the application does", async () => {
    const { port } = await start(contract, { http: sending(200, [["connection", "close"]], "some", "more") });
    const response = await (await RawClient.send(port, request("GET", "/"))).response();
    expect(headerLines(response, "connection")).toEqual(["close"]);
    expect(response.body.toString()).toBe("somemore");
  });

  test("reaches the client piece by piece", async () => {
    const goOn = deferred();
    const { port } = await start(contract, {
      http: async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: "first", moreBody: true });
        await goOn.promise;
        await send({ type: "http.response.body", body: "second" });
      },
    });
    const client = await RawClient.send(port, request("GET", "/"));
    await client.head();
    expect((await client.chunk()).toString()).toBe("first");
    goOn.resolve();
    expect((await client.chunk()).toString()).toBe("second");
  });

  testIfCapable(contract, "sendsHeadAlone", "reaches the client head first", async () => {
    const goOn = deferred();
    const { port } = await start(contract, {
      http: async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", moreBody: true });
        await goOn.promise;
        await send({ type: "http.response.body", body: "second" });
      },
    });
    const client = await RawClient.send(port, request("GET", "/"));
    expect((await client.head()).status).toBe(200);
    goOn.resolve();
    expect((await client.chunk()).toString()).toBe("second");
  });

  test.each([
    ["chunked", []],
    ["of a known length", [["content-length", String(32 * mebibyte)]]],
  ] satisfies [string, Headers][])("waits with the application for a slow client, %s", async (_what, headers) => {
    const size = 256 * kibibyte;
    const waiting = deferred<number>();
    let sent = 0;
    const http: App<"http"> = async (_scope, _receive, send) => {
      const sendNext = (): MaybePromise<void> => {
        const body = Buffer.alloc(size, sent / size);
        sent += size;
        return send({ type: "http.response.body", body, moreBody: true });
      };
      await send({ type: "http.response.start", status: 200, headers });
      while (sent < 32 * mebibyte) {
        const pending = sendNext();
        if (pending === undefined) continue;
        // More of them, while that one still waits: they have to stay behind it, and in order.
        for (let more = 0; more < 20 && sent < 32 * mebibyte; more += 1) void sendNext();
        waiting.resolve(sent);
        await pending;
      }
      await send({ type: "http.response.body" });
    };
    const { port } = await start(contract, { http }, { maxBackpressure: 8 * mebibyte });
    const client = await RawClient.send(port, request("GET", "/"));
    client.socket.pause();
    expect(await waiting.promise).toBeLessThan(24 * mebibyte);
    const before = sent;
    for (let turn = 0; turn < 20; turn += 1) await realIo();
    expect(sent).toBe(before);
    client.socket.resume();
    const { body } = await client.response();
    expect(body).toHaveLength(32 * mebibyte);
    const pieces = Array.from({ length: body.length / size }, (_, index) =>
      body.subarray(index * size, (index + 1) * size),
    );
    expect(pieces.findIndex((piece, index) => !piece.equals(Buffer.alloc(size, index)))).toBe(-1);
  });

  test("is cut for a client that is too slow for an application which does not wait", async () => {
    const outcome = deferred<{ error: unknown; taken: number }>();
    const { port } = await start(
      contract,
      {
        http: async (_scope, _receive, send) => {
          await send({ type: "http.response.start", status: 200 });
          const body = Buffer.alloc(256 * kibibyte);
          let taken = 0;
          try {
            // Not waiting is the fault under test.
            for (; taken < 256 * mebibyte; taken += body.length)
              void send({ type: "http.response.body", body, moreBody: true });
            outcome.resolve({ error: undefined, taken });
          } catch (error) {
            outcome.resolve({ error, taken });
          }
        },
      },
      { maxBackpressure: mebibyte },
    );
    const client = await RawClient.send(port, request("GET", "/"));
    client.socket.pause();
    const { error, taken } = await outcome.promise;
    expect(error).toBeInstanceOf(ClientDisconnected);
    expect(taken).toBeLessThan(32 * mebibyte);
    client.socket.resume();
    await client.rest();
  });

  test("is what was sent, whatever the application does with its bytes afterwards", async () => {
    const sent = deferred<number>();
    const { port } = await start(contract, {
      http: async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        const body = Buffer.alloc(64 * kibibyte);
        let count = 0;
        let pending = undefined as MaybePromise<void>;
        for (; pending === undefined; count += 1) {
          body.fill(count % 256);
          pending = send({ type: "http.response.body", body, moreBody: true });
        }
        body.fill(0xff);
        sent.resolve(count);
        await pending;
        await send({ type: "http.response.body" });
      },
    });
    const client = await RawClient.send(port, request("GET", "/"));
    client.socket.pause();
    const count = await sent.promise;
    client.socket.resume();
    const { body } = await client.response();
    expect(body.length).toBe(count * 64 * kibibyte);
    for (let index = 0; index < count; index += 1) {
      const piece = body.subarray(index * 64 * kibibyte, (index + 1) * 64 * kibibyte);
      expect(piece.equals(Buffer.alloc(64 * kibibyte, index % 256))).toBe(true);
    }
  });

  test("may go on while the request still comes, at the pace of both", async () => {
    const size = 64 * mebibyte;
    const { port } = await start(
      contract,
      {
        http: async (_scope, receive, send) => {
          await send({ type: "http.response.start", status: 200 });
          for (;;) {
            const event = await receive();
            if (event.type === "http.disconnect") return;
            await send({ type: "http.response.body", body: event.body, moreBody: event.moreBody });
            if (!event.moreBody) return;
          }
        },
      },
      { limits: { maxInboxBytes: 256 * kibibyte, maxBodySize: size }, maxBackpressure: 256 * kibibyte },
    );
    const client = await RawClient.send(port, request("POST", "/", [`Content-Length: ${size}`]));
    client.socket.pause();
    const body = Buffer.alloc(size, "0123456789");
    const progress = client.pour(body);
    await turns(port);
    // What the inbox and the response may hold is little. The rest is in the system's buffers of four sockets, which on a busy
    // machine have grown to 30 MiB together.
    expect(progress.taken).toBeLessThan(48 * mebibyte);
    client.socket.resume();
    expect((await client.response()).body.equals(body)).toBe(true);
  });
}
