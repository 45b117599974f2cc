import { type App, DenyConnection, RouteNotFound, type SendEvent } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { FakeClock } from "../../fake-clock.js";
import { deferred } from "./deferred.js";
import { realIo, start, type TransportContract, testIfCapable } from "./harness.js";
import { type Headers, sending, twice } from "./http-exchange.js";
import { headerLines, RawClient, type RawResponse } from "./raw-client.js";
import { request } from "./request-text.js";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

export function httpResponses(contract: TransportContract): void {
  describe("in one piece", () => {
    test("has its status, headers and the length of its body in bytes", async () => {
      const headers: Headers = [
        ["Content-Type", "text/plain"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["x-name", "Zoë"],
      ];
      const response = await twice(contract, sending(201, headers, "grüße"));
      expect(response).toMatchObject({ status: 201, reason: "Created" });
      expect(headerLines(response, "content-type")).toEqual(["text/plain"]);
      expect(headerLines(response, "set-cookie")).toEqual(["a=1", "b=2"]);
      expect(headerLines(response, "x-name")).toEqual(["Zoë"]);
      expect(headerLines(response, "content-length")).toEqual(["7"]);
      expect(response.body.toString()).toBe("grüße");
    });

    test("may be bytes, or empty", async () => {
      const bytes = new Uint8Array([0, 1, 254, 255]);
      expect((await twice(contract, sending(200, [], new Uint8Array([9, ...bytes, 9]).subarray(1, 5)))).body).toEqual(
        Buffer.from(bytes),
      );
      expect(headerLines(await twice(contract, sending(200, [], "")), "content-length")).toEqual(["0"]);
    });

    test.each([
      ["the right length", "5"],
      ["a wrong length", "500"],
    ])("has one Content-Length where the application gives %s, and no other framing", async (_what, length) => {
      const headers: Headers = [
        ["content-length", length],
        ["Transfer-Encoding", "chunked"],
      ];
      const response = await twice(contract, sending(200, headers, "hello"));
      expect(headerLines(response, "content-length")).toEqual(["5"]);
      expect(headerLines(response, "transfer-encoding")).toEqual([]);
      expect(response.body.toString()).toBe("hello");
    });

    test("has a reason phrase or none for a status that nobody knows", async () => {
      expect((await twice(contract, sending(299, [], "ok"))).status).toBe(299);
    });

    testIfCapable(contract, "endsConnections", "ends the connection where the application says so", async () => {
      const { port } = await start(contract, { http: sending(200, [["Connection", "close"]], "bye") });
      const client = await RawClient.send(port, request("GET", "/"));
      expect(headerLines(await client.response(), "connection")).toEqual(["close"]);
      expect(await client.rest()).toHaveLength(0);
    });

    test("of 16 MiB arrives whole, however slow the client", async () => {
      const body = Buffer.alloc(16 * mebibyte, "0123456789");
      const { port } = await start(contract, { http: sending(200, [], body) });
      const client = await RawClient.send(port, request("GET", "/"));
      client.socket.pause();
      for (let turn = 0; turn < 20; turn += 1) await realIo();
      client.socket.resume();
      expect((await client.response()).body.equals(body)).toBe(true);
    });
  });

  describe("without a body", () => {
    test("answers HEAD with the length of what it leaves out", async () => {
      expect(headerLines(await twice(contract, sending(200, [], "hello"), "HEAD"), "content-length")).toEqual(["5"]);
      expect(
        headerLines(await twice(contract, sending(200, [["content-length", "77"]], ""), "HEAD"), "content-length"),
      ).toEqual(["77"]);
      expect((await twice(contract, sending(200, [], "some", "", "more"), "HEAD")).status).toBe(200);
    });

    test.each([204, 304])("answers %i, whatever the application sends", async (status) => {
      for (const pieces of [[""], ["hello"], ["some", "more"]]) {
        const response = await twice(contract, sending(status, [["etag", '"1"']], ...pieces));
        expect(headerLines(response, "etag")).toEqual(['"1"']);
        expect(headerLines(response, "transfer-encoding")).toEqual([]);
        if (status === 204) expect(headerLines(response, "content-length")).toEqual([]);
      }
    });
  });

  describe("of an application that fails", () => {
    const answer = async (http: App<"http">): Promise<RawResponse> => {
      const { port } = await start(contract, { http });
      return (await RawClient.send(port, request("GET", "/"))).response();
    };
    const begin: SendEvent<"http"> = { type: "http.response.start", status: 200, headers: [["x-begun", "1"]] };

    test("is a 500 that gives nothing away, also after a start without a body", async () => {
      const failure = new Error("the secret");
      for (const begun of [false, true]) {
        const { port, logger, server } = await start(contract, {
          http: async (_scope, _receive, send) => {
            if (begun) await send(begin);
            await realIo();
            throw failure;
          },
        });
        const response = await (await RawClient.send(port, request("GET", "/"))).response();
        expect(response.status).toBe(500);
        expect(headerLines(response, "x-begun")).toEqual([]);
        expect(response.body.toString()).not.toContain("secret");
        expect(logger.errors).toEqual([failure]);
        expect(server.connections.http).toBe(0);
      }
    });

    test("is cut once it has begun", async () => {
      const { port, server } = await start(contract, {
        http: async (_scope, _receive, send) => {
          await send(begin);
          await send({ type: "http.response.body", body: "some", moreBody: true });
          await realIo();
          throw new Error("in the middle");
        },
      });
      const client = await RawClient.send(port, request("GET", "/"));
      await client.head();
      expect((await client.chunk()).toString()).toBe("some");
      // Without the last chunk, a client knows that it is not complete.
      expect((await client.rest()).toString().trim()).toBe("");
      expect(server.connections.http).toBe(0);
    });

    test("is what the error stands for, where it is an outcome", async () => {
      const denial = new DenyConnection({ status: 401, headers: [["www-authenticate", "Token"]], body: "no" });
      expect(await answer(() => Promise.reject(denial))).toMatchObject({ status: 401, body: Buffer.from("no") });
      expect((await answer(() => Promise.reject(new RouteNotFound("/")))).status).toBe(404);
    });

    test.each<[string, Headers]>([
      ["a line break in a header", [["x-a", "b\r\nx-evil: 1"]]],
      ["a header name with a colon", [["x-evil: 1\r\nx-a", "b"]]],
      ["a header value beyond Latin-1", [["x-a", "€"]]],
    ])("is a 500 for %s", async (_what, headers) => {
      const response = await answer(sending(200, headers, "ok"));
      expect(response.status).toBe(500);
      expect(headerLines(response, "x-evil")).toEqual([]);
    });

    test("is a 500 if it returns without one", async () => {
      expect((await answer(() => {})).status).toBe(500);
    });

    test("is a 503 if it takes too long, and is cut if it had begun", async () => {
      const clock = new FakeClock();
      const called = deferred();
      const begun = deferred();
      const { port, server } = await start(
        contract,
        {
          http: async (scope, receive, send) => {
            if (scope.path === "/begun") {
              await send(begin);
              await send({ type: "http.response.body", body: "some", moreBody: true });
              begun.resolve();
            }
            called.resolve();
            for (let event = await receive(); event.type !== "http.disconnect"; ) event = await receive();
          },
        },
        { clock, limits: { httpTimeout: 3_000 } },
      );
      const silent = await RawClient.send(port, request("GET", "/silent"));
      const cut = await RawClient.send(port, request("GET", "/begun"));
      await Promise.all([called.promise, begun.promise]);
      await clock.advance(2_999);
      expect(silent.received).toBe(0);
      await clock.advance(1);
      expect((await silent.response()).status).toBe(503);
      await cut.head();
      expect((await cut.chunk()).toString()).toBe("some");
      expect((await cut.rest()).toString().trim()).toBe("");
      expect(server.connections.http).toBe(0);
    });
  });
}
