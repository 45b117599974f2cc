import { createHash } from "node:crypto";
import { type App, ClientDisconnected, header, type ReceiveEvent, type Scope } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { answering } from "./applications.js";
import { deferred } from "./deferred.js";
import { realIo, start, type TransportContract, testIfCapable } from "./harness.js";
import { sending, turns } from "./http-exchange.js";
import { RawClient } from "./raw-client.js";
import { request } from "./request-text.js";

const mebibyte = 1024 * 1024;

/** Answers with what it was sent: the whole of it, at the end. */
const collect: App<"http"> = async (_scope, receive, send) => {
  const pieces: Uint8Array[] = [];
  for (let more = true; more; ) {
    const event = await receive();
    if (event.type === "http.disconnect") return;
    pieces.push(event.body);
    more = event.moreBody;
  }
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: Buffer.concat(pieces) });
};

export function httpRequests(contract: TransportContract): void {
  const answer = async (port: number, bytes: string): ReturnType<RawClient["response"]> =>
    (await RawClient.send(port, bytes)).response();

  describe("the scope", () => {
    test("has the request as it came, also after an await", async () => {
      const seen = deferred<Scope<"http">>();
      const { port } = await start(contract, {
        http: async (scope, receive, send) => {
          await realIo();
          seen.resolve(scope);
          await answering("")(scope, receive, send);
        },
      });
      const lines = ["X-Twice: one", "Cookie: a=1", "x-twice:two", "Cookie: b=2", "X-Empty:"];
      await answer(port, request("PROPFIND", "/caf%C3%A9/%2F?token=a%20b&x=?", lines));
      const { headers, client, server, signal: _signal, ...scope } = await seen.promise;
      expect(scope).toMatchObject({
        type: "http",
        method: "PROPFIND",
        scheme: "http",
        httpVersion: "1.1",
        path: "/café//",
        rawPath: "/caf%C3%A9/%2F",
        queryString: "token=a%20b&x=?",
        rootPath: "",
      });
      expect(header({ headers }, "host")).toBe("test.example");
      expect(header({ headers }, "x-twice")).toBe("one, two");
      expect(header({ headers }, "cookie")).toBe("a=1; b=2");
      expect(header({ headers }, "x-empty")).toBe("");
      expect(client?.host).toBe("127.0.0.1");
      expect(server).toEqual({ host: "127.0.0.1", port });
    });

    testIfCapable(contract, "keepsHeaderLines", "has the header lines in their order", async () => {
      const seen = deferred<Scope<"http">>();
      const { port } = await start(contract, {
        http: (scope, receive, send) => {
          seen.resolve(scope);
          return answering("")(scope, receive, send);
        },
      });
      const lines = ["X-Twice: one", "Cookie: a=1", "x-twice:two", "Cookie: b=2", "X-Empty:"];
      await answer(port, request("GET", "/", lines));
      const { headers } = await seen.promise;
      expect(headers).toEqual([
        ["host", "test.example"],
        ["x-twice", "one"],
        ["cookie", "a=1"],
        ["x-twice", "two"],
        ["cookie", "b=2"],
        ["x-empty", ""],
      ]);
    });

    test.each(["/", "/?", "/?a", "/a?b?c"])("splits %s at the first question mark", async (target) => {
      const { port } = await start(contract, {
        http: (scope, receive, send) => answering(`${scope.path} ${scope.queryString}`)(scope, receive, send),
      });
      const [path, ...query] = target.split("?");
      expect((await answer(port, request("GET", target))).body.toString()).toBe(`${path} ${query.join("?")}`);
    });

    const refusesPath = async (path: string): Promise<void> => {
      const { port, server } = await start(contract, { http: answering("served") });
      expect((await answer(port, request("GET", path))).status).toBe(400);
      expect(server.connections.http).toBe(0);
    };
    test('is not made of the path "/%ff": 400', () => refusesPath("/%ff"));
    for (const path of ["/\xe9", "/caf\xc3\xa9", "/?q=\xe9"]) {
      testIfCapable(contract, "keepsTarget", `is not made of the path ${JSON.stringify(path)}: 400`, () =>
        refusesPath(path),
      );
    }

    test("is not made of a head without end: an answer of 4xx, and the connection is over", async () => {
      const { port, server } = await start(contract, { http: answering("served") });
      const client = await RawClient.send(port, `GET /${"x".repeat(100_000)}`);
      const { status } = await client.response();
      expect([400, 414, 431]).toContain(status);
      expect(await client.rest()).toHaveLength(0);
      expect(server.connections.http).toBe(0);
    });

    testIfCapable(contract, "refusesControlBytes", "is not made of a header with control bytes: 400", async () => {
      const { port } = await start(contract, { http: answering("served") });
      expect((await answer(port, request("GET", "/", ["X-A: a\x01b"]))).status).toBe(400);
    });

    testIfCapable(contract, "readsLatin1", "has bytes beyond ASCII in header values as Latin-1", async () => {
      const { port } = await start(contract, {
        http: (scope, receive, send) => answering(JSON.stringify(scope.headers))(scope, receive, send),
      });
      const { body } = await answer(port, request("GET", "/", ["X-Latin: Zo\xeb", "X-Utf: \xc3\xab"]));
      expect(JSON.parse(body.toString())).toEqual([
        ["host", "test.example"],
        ["x-latin", "Zo\xeb"],
        ["x-utf", "\xc3\xab"],
      ]);
    });
  });

  describe("the body", () => {
    test("of a request without one is a single empty event", async () => {
      const seen = deferred<unknown>();
      const { port } = await start(contract, {
        http: async (scope, receive, send) => {
          seen.resolve(await receive());
          await answering("")(scope, receive, send);
        },
      });
      await answer(port, request("GET", "/"));
      expect(await seen.promise).toEqual({ type: "http.request", body: new Uint8Array(0), moreBody: false });
    });

    test("arrives whole with a length, in chunks, and in the segment after the head", async () => {
      const { port } = await start(contract, { http: collect });
      expect((await answer(port, request("POST", "/", [], "hello"))).body.toString()).toBe("hello");
      const chunked = request("POST", "/", ["Transfer-Encoding: chunked"]);
      const body = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
      expect((await answer(port, chunked + body)).body.toString()).toBe("hello world");
      const client = await RawClient.send(port, request("POST", "/", ["Content-Length: 5"]));
      await realIo();
      client.write("hel");
      await realIo();
      client.write("lo");
      expect((await client.response()).body.toString()).toBe("hello");
    });

    testIfCapable(contract, "readsChunkExtensions", "arrives without the extensions of its chunks", async () => {
      const { port } = await start(contract, { http: collect });
      const chunked = request("POST", "/", ["Transfer-Encoding: chunked"]);
      expect((await answer(port, `${chunked}2;a=b\r\nok\r\n0\r\n\r\n`)).body.toString()).toBe("ok");
    });

    test("is asked for with 100 Continue", async () => {
      const { port } = await start(contract, { http: collect });
      const client = await RawClient.send(port, request("PUT", "/", ["Expect: 100-continue", "Content-Length: 2"]));
      expect((await client.response()).status).toBe(100);
      client.write("ok");
      expect((await client.response()).body.toString()).toBe("ok");
    });

    test("waits with the client when the application does not read it, and loses nothing", async () => {
      const size = 64 * mebibyte;
      const started = deferred();
      const goOn = deferred();
      const { port } = await start(
        contract,
        {
          http: async (scope, receive, send) => {
            const digest = createHash("sha256");
            let event = await receive();
            started.resolve();
            await goOn.promise;
            for (;;) {
              if (event.type === "http.disconnect") return;
              digest.update(event.body);
              if (!event.moreBody) break;
              event = await receive();
            }
            await answering(digest.digest("hex"))(scope, receive, send);
          },
        },
        { limits: { maxInboxBytes: mebibyte, maxBodySize: size } },
      );
      const body = Buffer.alloc(size);
      for (let index = 0; index < size; index += 1024) body.writeUInt32BE(index, index);
      const client = await RawClient.send(port, request("POST", "/", [`Content-Length: ${size}`]));
      const progress = client.pour(body);
      await started.promise;
      await turns(port);
      // What the inbox may hold, and what two sockets of the operating system do.
      expect(progress.taken).toBeLessThan(24 * mebibyte);
      goOn.resolve();
      expect((await client.response()).body.toString()).toBe(createHash("sha256").update(body).digest("hex"));
    });

    testIfCapable(contract, "outlivesUnreadBody", "need not be read for the connection to go on", async () => {
      const { port } = await start(contract, { http: answering("early") }, { limits: { maxInboxBytes: 1000 } });
      const client = await RawClient.send(port, request("POST", "/", ["Content-Length: 1000000"]));
      expect((await client.response()).body.toString()).toBe("early");
      client.write(Buffer.alloc(1_000_000));
      client.write(request("GET", "/"));
      expect((await client.response()).body.toString()).toBe("early");
    });

    for (const [what, pieces] of [
      ["in one piece", ["early"]],
      ["in pieces", ["ear", "ly"]],
    ] as const) {
      const title = `may be left unread by an application that answers late, ${what}`;
      testIfCapable(contract, "outlivesUnreadBody", title, async () => {
        const full = deferred();
        const http: App<"http"> = async (scope, receive, send) => {
          await full.promise;
          await sending(200, [], ...pieces)(scope, receive, send);
        };
        const { port } = await start(contract, { http }, { limits: { maxInboxBytes: 1000 } });
        const client = await RawClient.send(port, request("POST", "/", ["Content-Length: 10000000"]));
        client.write(Buffer.alloc(10_000_000));
        await turns(port);
        full.resolve();
        expect((await client.response()).body.toString()).toBe("early");
        client.write(request("GET", "/"));
        expect((await client.response()).body.toString()).toBe("early");
      });
    }

    test.each([
      ["two lengths", ["Content-Length: 3", "Content-Length: 4"]],
      ["a length and chunks", ["Content-Length: 3", "Transfer-Encoding: chunked"]],
      ["a length that is no number", ["Content-Length: x"]],
    ])("with %s is refused, as others may read it otherwise", async (_what, lines) => {
      const { port } = await start(contract, { http: collect });
      const client = await RawClient.send(port, `${request("POST", "/", lines)}0\r\n\r\n`);
      expect((await client.response()).status).toBe(400);
      expect(await client.rest()).toHaveLength(0);
    });
  });

  describe("one connection", () => {
    test("carries one request after another", async () => {
      const { port } = await start(contract, {
        http: (scope, receive, send) => answering(scope.path, realIo)(scope, receive, send),
      });
      const client = await RawClient.connect(port);
      for (const path of ["/1", "/2", "/3"]) {
        client.write(request("POST", path, [], "some body"));
        expect((await client.response()).body.toString()).toBe(path);
      }
    });

    test("carries requests in one segment, if they are answered at once", async () => {
      const { port } = await start(contract, {
        http: (scope, receive, send) => answering(scope.path)(scope, receive, send),
      });
      const client = await RawClient.send(port, request("GET", "/1") + request("GET", "/2") + request("GET", "/3"));
      for (const path of ["/1", "/2", "/3"]) expect((await client.response()).body.toString()).toBe(path);
    });

    testIfCapable(contract, "pipelines", "carries requests in one segment, if answers take time", async () => {
      const { port } = await start(contract, {
        http: (scope, receive, send) => answering(scope.path, realIo)(scope, receive, send),
      });
      const client = await RawClient.send(port, request("GET", "/1") + request("GET", "/2"));
      for (const path of ["/1", "/2"]) expect((await client.response()).body.toString()).toBe(path);
    });

    testIfCapable(contract, "servesHalfClosed", "carries the answer to a client that sends no more", async () => {
      const { port } = await start(contract, { http: answering("late", realIo) });
      const client = await RawClient.connect(port);
      client.socket.end(request("GET", "/"));
      expect((await client.response()).body.toString()).toBe("late");
    });
  });

  test.each([
    ["waits", request("GET", "/")],
    ["is still sent something", request("POST", "/", ["Content-Length: 10"])],
  ])("a client that goes while the application %s: disconnect, and sending throws", async (_what, bytes) => {
    const called = deferred();
    const outcome = deferred<unknown[]>();
    const { port, server, logger } = await start(contract, {
      http: async (scope, receive, send) => {
        const signal = scope.signal();
        called.resolve();
        let event: ReceiveEvent<"http"> = await receive();
        if (event.type === "http.request") event = await receive();
        const error = await Promise.resolve()
          .then(() => send({ type: "http.response.start", status: 200 }))
          .catch((reason: unknown) => reason);
        outcome.resolve([event, signal.aborted, error]);
      },
    });
    const client = await RawClient.send(port, bytes);
    await called.promise;
    expect(server.connections.http).toBe(1);
    client.socket.destroy();
    expect(await outcome.promise).toEqual([{ type: "http.disconnect" }, true, expect.any(ClientDisconnected)]);
    await realIo();
    expect(server.connections.http).toBe(0);
    expect(logger.errors).toEqual([]);
  });
}
