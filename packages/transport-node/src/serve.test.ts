import { once } from "node:events";
import { constants, createDeflateRaw } from "node:zlib";
import { type App, type ReceiveEvent, systemClock } from "@sluice/core";
import { FakeClock, RecordingLogger } from "@sluice/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { handshake, RawClient, request } from "../test/raw-client.js";
import { echo, mirror, start, telling } from "../test/start.js";

const mebibyte = 1024 * 1024;

async function open(url: string, options: ClientOptions = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, options);
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return socket;
}

class Gate {
  open = (): void => {};
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

/** Accepts, and hands every event to `tell`. */
const reporting = (tell: (event: ReceiveEvent<"websocket">) => void): App<"websocket"> => {
  return async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive.pipe(tell);
  };
};

/** Waits for the end, and tells that it has come. */
const untilGone = (tell: () => void): App<"http"> => {
  return async (_scope, receive) => {
    for (let event = await receive(); event.type !== "http.disconnect"; ) event = await receive();
    tell();
  };
};

describe("the clock of the options", () => {
  it("pings a silent client, keeps one that answers, and cuts one that does not", async () => {
    const clock = new FakeClock();
    const ends: unknown[] = [];
    const server = await start(
      {
        websocket: async (scope, receive, send) => {
          await echo(scope, receive, send);
          ends.push("gone");
        },
      },
      { clock, idleTimeout: 8 },
    );
    const alive = await open(server.url);
    const mute = await open(server.url, { autoPong: false });
    const pings = [once(alive, "ping"), once(mute, "ping")];
    const cut = once(mute, "close");
    await clock.advance(4_000);
    await Promise.all(pings);
    // Whatever comes in counts; this one also tells that it has.
    alive.send("still here");
    await once(alive, "message");
    await clock.advance(3_000);
    expect(server.connections.websocket).toBe(2);
    await clock.advance(1_000);
    expect((await cut)[0]).toBe(1006);
    expect(ends).toEqual(["gone"]);
    expect(server.connections.websocket).toBe(1);
  });
});

describe("a message that inflates a thousandfold", () => {
  it("ends the connection before it takes the memory", async () => {
    const size = 512 * mebibyte;
    const ends: unknown[] = [];
    const server = await start({ websocket: reporting((event) => void ends.push(event)) }, { compression: true });
    const deflate = createDeflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
    const pieces: Buffer[] = [];
    deflate.on("data", (piece: Buffer) => pieces.push(piece));
    const zeros = Buffer.alloc(mebibyte);
    for (let left = size; left > 0; left -= zeros.length) if (!deflate.write(zeros)) await once(deflate, "drain");
    deflate.end();
    await once(deflate, "end");
    const bomb = Buffer.concat(pieces);
    expect(bomb.length).toBeLessThan(mebibyte);
    // A compressed binary message, with a mask of zeros.
    const head = Buffer.alloc(14);
    head.writeUInt16BE(0xc2ff);
    head.writeBigUInt64BE(BigInt(bomb.length), 2);
    const client = await RawClient.send(server.port, handshake("/", ["Sec-WebSocket-Extensions: permessage-deflate"]));
    await client.until("\r\n\r\n");
    // What has been inflated is outside of the heap, until all of it is there.
    const before = process.memoryUsage().external;
    let most = before;
    const watching = setInterval(() => {
      most = Math.max(most, process.memoryUsage().external);
    }, 1);
    onTestFinished(() => clearInterval(watching));
    client.write(Buffer.concat([head, bomb]));
    const answer = Buffer.from(await client.rest(), "latin1");
    expect(answer.subarray(-4)).toEqual(Buffer.from([0x88, 2, 1009 >> 8, 1009 & 255]));
    expect(ends).toMatchObject([{ type: "websocket.connect" }, { type: "websocket.disconnect", code: 1006 }]);
    expect(most - before).toBeLessThan(size / 2);
  });
});

describe("an offer of extensions", () => {
  it("that cannot be read is answered with 400, and the application is told", async () => {
    const ends: unknown[] = [];
    const server = await start({ websocket: reporting((event) => void ends.push(event)) }, { compression: true });
    const client = await RawClient.send(
      server.port,
      handshake("/", ["Sec-WebSocket-Extensions: permessage-deflate; ="]),
    );
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 400 /);
    expect(ends).toMatchObject([{ type: "websocket.connect" }, { type: "websocket.disconnect", code: 1006 }]);
    expect(server.connections.websocket).toBe(0);
  });
});

describe("a request to change to another protocol", () => {
  const h2c = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"];

  it("is answered as if it did not ask, and the connection goes on", async () => {
    const server = await start({ http: telling(({ method }) => method) });
    const client = await RawClient.send(server.port, request(h2c));
    expect(await client.until('"GET"')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    client.write(request([], "DELETE"));
    await client.until('"DELETE"');
  });

  it("keeps its body", async () => {
    const server = await start({ http: mirror });
    const client = await RawClient.send(server.port, `${request([...h2c, "Content-Length: 5"], "POST")}hello`);
    expect(await client.until("hello")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it("is none in HTTP/1.0, not even for a WebSocket", async () => {
    const server = await start({ http: telling(() => "served"), websocket: echo });
    const client = await RawClient.send(server.port, handshake().replace("HTTP/1.1", "HTTP/1.0"));
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    await client.until('"served"');
  });

  it("is refused where it asks for a tunnel", async () => {
    const server = await start({ http: telling(() => "served") });
    const client = await RawClient.send(server.port, "CONNECT test.example:443 HTTP/1.1\r\nHost: test.example\r\n\r\n");
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 501 /);
  });
});

describe("a handshake", () => {
  it("may come on a connection that has carried requests", async () => {
    const server = await start({ http: telling(() => "first"), websocket: echo });
    const client = await RawClient.send(server.port, request());
    await client.until('"first"');
    client.write(handshake());
    expect(await client.until("\r\n\r\n")).toContain("HTTP/1.1 101 ");
    expect(server.connections.websocket).toBe(1);
  });

  it("does not overtake a response: the connection is cut", async () => {
    const told: string[] = [];
    let handshakes = 0;
    const server = await start({
      http: untilGone(() => told.push("gone")),
      websocket: () => {
        handshakes += 1;
      },
    });
    const client = await RawClient.send(server.port, request() + handshake());
    expect(await client.rest()).toBe("");
    await expect.poll(() => told).toEqual(["gone"]);
    expect(handshakes).toBe(0);
  });

  it("that is answered late loses nothing of what came too early", async () => {
    const answered = new Gate();
    const size = 300_000;
    const server = await start({
      websocket: async (_scope, receive, send) => {
        await answered.opened;
        await send({ type: "websocket.accept" });
        await receive.pipe((event) => {
          if (event.type !== "websocket.receive") return undefined;
          return send({ type: "websocket.send", text: `${event.bytes?.length} bytes` });
        });
      },
    });
    const head = Buffer.alloc(14);
    head.writeUInt16BE(0x82ff);
    head.writeBigUInt64BE(BigInt(size), 2);
    const client = await RawClient.send(server.port, handshake());
    client.write(Buffer.concat([head, Buffer.alloc(size)]));
    await expect.poll(() => server.connections.websocket).toBe(1);
    answered.open();
    await client.until("300000 bytes");
  });
});

describe("a client that goes", () => {
  it("is missed by every application whose answer waits for another one's", async () => {
    const told: string[] = [];
    const server = await start({
      http: (scope, receive, send) => untilGone(() => told.push(scope.path))(scope, receive, send),
    });
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    const client = await RawClient.send(server.port, paths.map((path) => request([], "GET", path)).join(""));
    await expect.poll(() => server.connections.http).toBe(20);
    client.socket.destroy();
    await expect.poll(() => server.connections.http).toBe(0);
    expect(told).toEqual(paths);
  });

  it("leaves no trace of a body that cannot be read: 400, and the application is told", async () => {
    const told: string[] = [];
    const server = await start({ http: untilGone(() => told.push("gone")) });
    const client = await RawClient.send(server.port, `${request(["Transfer-Encoding: chunked"], "POST")}2\r\nok\r\nx`);
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 400 /);
    expect(told).toEqual(["gone"]);
    expect(server.connections.http).toBe(0);
  });
});

describe("a request", () => {
  it("that waits for 100 Continue gets its refusal alone", async () => {
    const server = await start({ http: mirror }, { limits: { maxBodySize: 10 } });
    const client = await RawClient.send(server.port, request(["Expect: 100-continue", "Content-Length: 11"], "PUT"));
    const answer = await client.rest();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).not.toContain("100 Continue");
  });

  it("of HTTP/1.0 gets its answer without chunks", async () => {
    const server = await start({
      http: async (scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: `HTTP/${scope.httpVersion} `, moreBody: true });
        await send({ type: "http.response.body", body: "is old" });
      },
    });
    const client = await RawClient.send(server.port, "GET / HTTP/1.0\r\n\r\n");
    expect(await client.rest()).toMatch(/\r\n\r\nHTTP\/1\.0 is old$/);
  });

  it("of very many header lines is read whole", async () => {
    const lines = Array.from({ length: 2_500 }, (_, index) => `X-${index}: ${index}`);
    const limits = { maxHeaders: 3_000, maxHeaderSize: mebibyte };
    const server = await start({ http: telling(({ headers }) => headers.length) }, { limits });
    const client = await RawClient.send(server.port, request(lines));
    await client.until("\r\n\r\n2501");
  });

  it("that is answered before it is read does not hold up the next one", async () => {
    const finished = new Gate();
    onTestFinished(finished.open);
    const server = await start(
      {
        http: async (scope, receive, send) => {
          await new Promise((resolve) => setImmediate(resolve));
          await telling(() => scope.method)(scope, receive, send);
          // It has work left to do, and takes no notice of what still comes in.
          await finished.opened;
        },
      },
      { limits: { maxInboxBytes: 1_000 } },
    );
    const client = await RawClient.send(server.port, request(["Content-Length: 10000000"], "POST"));
    client.write(Buffer.alloc(10_000_000));
    await client.until('"POST"');
    client.write(request());
    await client.until('"GET"');
  });

  it("whose headers go beyond what is read at all is answered 431", async () => {
    const server = await start({ http: telling(() => "served") });
    const client = await RawClient.send(server.port, request([`X-Long: ${"x".repeat(100_000)}`]));
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe("a server that closes", () => {
  it("gets out what it has answered", async () => {
    const body = "x".repeat(8 * mebibyte);
    const answered = new Gate();
    const server = await start({
      http: async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body });
        answered.open();
      },
    });
    const client = await RawClient.send(server.port, "");
    client.socket.pause();
    client.write(request());
    await answered.opened;
    const closed = server.close();
    client.socket.resume();
    await closed;
    expect((await client.rest()).split("\r\n\r\n")[1]).toHaveLength(body.length);
  });
});

describe("bytes", () => {
  it("are plain arrays with a buffer of their own", async () => {
    const seen: Uint8Array[] = [];
    const server = await start({
      http: async (scope, receive, send) => {
        const event = await receive();
        if (event.type === "http.request") seen.push(event.body);
        await telling(() => "ok")(scope, receive, send);
      },
      websocket: async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe((event) => {
          if (event.type !== "websocket.receive" || event.bytes === undefined) return undefined;
          seen.push(event.bytes);
          return send({ type: "websocket.send", text: "ok" });
        });
      },
    });
    await fetch(server.url, { method: "POST", body: "body" });
    const socket = await open(server.url);
    for (const size of [5, 100_000]) {
      socket.send(Buffer.alloc(size));
      await once(socket, "message");
    }
    expect(seen.map(({ length }) => length)).toEqual([4, 5, 100_000]);
    for (const bytes of seen) {
      expect(bytes.constructor).toBe(Uint8Array);
      expect(bytes.buffer.byteLength).toBe(bytes.length);
    }
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
    expect(await (await RawClient.send(server.port, request())).rest()).toBe("");
    expect(await (await RawClient.send(server.port, handshake())).rest()).toBe("");
    expect(logger.errors).toEqual([new Error("no clock"), new Error("no clock")]);
    broken = false;
    expect(await (await fetch(server.url)).json()).toBe("ok");
  });
});
