import { once } from "node:events";
import type { Address, App, Connection } from "@sluice/core";
import { beforeEach, describe, expect, it } from "vitest";
import { acceptAndStay, endOf, handshake, open, request, start, talk, telling } from "../test/site.js";
import { skipWithoutBinary } from "../test/skip-without-binary.js";

beforeEach(skipWithoutBinary);

const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const tcp4 = 0x11;
const tcp6 = 0x21;

/** A PROXY protocol v2 header (section 2.2 of its specification). */
function proxyHeader(family: number, addresses: Uint8Array, command = 1): Buffer {
  const head = Buffer.from([0x20 | command, family, addresses.length >> 8, addresses.length & 0xff]);
  return Buffer.concat([signature, head, addresses]);
}

const v4 = proxyHeader(tcp4, Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0x30, 0x39, 0x01, 0xbb]));
const spoofed = proxyHeader(tcp4, Buffer.from([198, 51, 100, 66, 10, 0, 0, 1, 0x30, 0x39, 0x01, 0xbb]));
const v6 = proxyHeader(
  tcp6,
  Buffer.from("20010db8000000000000000000000042" + "20010db8000000000000000000000001" + "303901bb", "hex"),
);
const local = proxyHeader(0, Buffer.alloc(0), 0);

/** Serves both protocols, and lists the clients as they come. */
async function witness(
  trustedProxies: readonly string[],
  http: App<"http"> = telling(() => "ok"),
): Promise<{ readonly port: number; readonly seen: (Address | undefined)[] }> {
  const seen: (Address | undefined)[] = [];
  const noting = <P extends Connection>(app: App<P>): App<P> => {
    return (scope, receive, send) => {
      seen.push(scope.client);
      return app(scope, receive, send);
    };
  };
  const { port } = await start({ http: noting(http), websocket: noting(acceptAndStay) }, { trustedProxies });
  return { port, seen };
}

describe.each([
  ["HTTP", request(["Connection: close"]), "200"],
  ["WebSocket", handshake, "101"],
])("a PROXY protocol header, on %s", (_protocol, bytes, status) => {
  const answered = (all: string): boolean => all.includes("\r\n\r\n");

  it.each([
    ["an IPv4 address", v4, "203.0.113.7"],
    ["an IPv6 address", v6, "2001:db8::42"],
    ["no address", local, "127.0.0.1"],
  ])("of a trusted proxy with %s", async (_what, proxy, host) => {
    const { port, seen } = await witness(["127.0.0.1"]);
    const [answer] = await talk(port, Buffer.concat([proxy, Buffer.from(bytes)]), answered);
    expect(answer).toMatch(`HTTP/1.1 ${status} `);
    expect(seen).toMatchObject([{ host }]);
  });

  it.each([[[]], [["10.0.0.0/8", "203.0.113.7"]]])("of anybody else is ignored (%s)", async (trusted) => {
    const { port, seen } = await witness(trusted);
    const [answer] = await talk(port, Buffer.concat([v4, Buffer.from(bytes)]), answered);
    expect(answer).toMatch(`HTTP/1.1 ${status} `);
    expect(seen).toMatchObject([{ host: "127.0.0.1" }]);
  });
});

it("a PROXY protocol header may come in pieces", async () => {
  const { port, seen } = await witness(["127.0.0.1"]);
  const socket = open(port);
  for (const piece of [v4.subarray(0, 5), v4.subarray(5, 20), v4.subarray(20)]) {
    await new Promise((resolve) => socket.write(piece, resolve));
    await (await fetch(`http://127.0.0.1:${port}`)).text();
  }
  socket.write(request());
  await once(socket, "data");
  expect(seen.map((client) => client?.host)).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1", "203.0.113.7"]);
});

it.each([
  ["of another version", Buffer.concat([signature, Buffer.from([0x31]), v4.subarray(13)])],
  ["longer than what is known", proxyHeader(tcp6, Buffer.alloc(48))],
  ["cut short", v4.subarray(0, 20)],
])("a PROXY protocol header %s brings no request, and does no harm", async (_what, proxy) => {
  const { port, seen } = await witness(["127.0.0.1"]);
  const socket = open(port);
  await new Promise((resolve) => socket.write(Buffer.concat([proxy, Buffer.from(request())]), resolve));
  expect(await (await fetch(`http://127.0.0.1:${port}`)).json()).toBe("ok");
  expect(seen).toMatchObject([{ host: "127.0.0.1" }]);
});

// The parser takes a header before every request. The second one here is the client's own, behind the proxy's.
describe("a client that passes itself off as another one, behind a trusted proxy", () => {
  const streaming = (headers: readonly (readonly [string, string])[]): App<"http"> => {
    return async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, headers });
      await send({ type: "http.response.body", body: "hello ", moreBody: true });
      await send({ type: "http.response.body", body: "world" });
    };
  };
  const status = (code: number): App<"http"> => {
    return async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: code });
      await send({ type: "http.response.body" });
    };
  };
  const afterBody: App<"http"> = async (scope, receive, send) => {
    await receive();
    await telling(() => "ok")(scope, receive, send);
  };
  const ways: [string, App<"http">, string, RegExp][] = [
    ["a response in one piece", telling(() => "ok"), request(), /"ok"$/],
    ["a stream", streaming([]), request(), /hello .*world\r\n0\r\nx-complete: 1\r\n\r\n$/s],
    ["a stream of known length", streaming([["content-length", "11"]]), request(), /\r\n0\r\nx-complete: 1\r\n\r\n$/],
    ["a response to HEAD", telling(() => "ok"), request([], "HEAD"), /content-length: 4\r\n.*\r\n\r\n$/is],
    [
      "a stream to HEAD",
      streaming([["content-length", "11"]]),
      request([], "HEAD"),
      /content-length: 11\r\n.*\r\n\r\n$/is,
    ],
    ["a 204", status(204), request(), /^HTTP\/1\.1 204 .*\r\n\r\n$/s],
    ["a refused handshake", telling(() => "ok"), handshake.replace("Version: 13", "Version: 12"), /^HTTP\/1\.1 426 /],
    [
      "contradicting lengths",
      telling(() => "ok"),
      request(["Content-Length: 0", "Content-Length: 0, 0"]),
      /^(HTTP\/1\.1 400 .*)?$/s,
    ],
  ];

  it.each(ways)("with its next request, after %s", async (_what, http, first, expected) => {
    const { port, seen } = await witness(["127.0.0.1"], http);
    const socket = open(port);
    let received = "";
    socket.on("data", (bytes: Buffer) => {
      received += bytes.toString("latin1");
      if (expected.test(received)) socket.write(Buffer.concat([spoofed, Buffer.from(request())]));
    });
    socket.write(Buffer.concat([v4, Buffer.from(first)]));
    await endOf(socket);
    expect(received).toMatch(expected);
    expect(seen.map((client) => client?.host)).not.toContain("198.51.100.66");
  });

  const withBody = `${request(["Content-Length: 4"], "POST")}body`;

  it.each<(typeof ways)[number]>([...ways, ["a request with a body", afterBody, withBody, /^$/]])(
    "with a request in the same segment, after %s",
    async (_what, http, first) => {
      const { port, seen } = await witness(["127.0.0.1"], http);
      const socket = open(port);
      socket.write(Buffer.concat([v4, Buffer.from(first), spoofed, Buffer.from(request())]));
      await endOf(socket);
      expect(seen.map((client) => client?.host)).not.toContain("198.51.100.66");
    },
  );

  it("with a request right behind the body of one that waits for it", async () => {
    const { port, seen } = await witness(["127.0.0.1"], afterBody);
    const socket = open(port);
    socket.write(Buffer.concat([v4, Buffer.from(request(["Content-Length: 4"], "POST"))]));
    await expect.poll(() => seen.length).toBe(1);
    socket.write(Buffer.concat([Buffer.from("body"), spoofed, Buffer.from(request())]));
    await endOf(socket);
    expect(seen).toMatchObject([{ host: "203.0.113.7" }]);
  });
});

it("a response behind a PROXY protocol header is whole, however slowly its client reads", async () => {
  const piece = Buffer.alloc(256 * 1024, "x");
  const pieces = 64;
  const { port } = await witness(["127.0.0.1"], async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for (let count = 0; count < pieces; count += 1) {
      await send({ type: "http.response.body", body: piece, moreBody: true });
    }
    await send({ type: "http.response.body", body: piece });
  });
  const socket = open(port);
  socket.write(Buffer.concat([v4, Buffer.from(request())]));
  let length = 0;
  let tail = "";
  for await (const bytes of socket) {
    length += (bytes as Buffer).length;
    tail = (tail + (bytes as Buffer).toString("latin1")).slice(-30);
    if (tail.endsWith("x-complete: 1\r\n\r\n")) break;
  }
  expect(length).toBeGreaterThan((pieces + 1) * piece.length);
});
