import { once } from "node:events";
import { constants, deflateRawSync } from "node:zlib";
import type { App } from "@sluice/core";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { endOf, handshake, open, start } from "../test/site.js";
import { skipWithoutBinary } from "../test/skip-without-binary.js";

beforeEach(skipWithoutBinary);

const mebibyte = 1024 * 1024;

const echo: App<"websocket"> = async (_scope, receive, send) => {
  await send({ type: "websocket.accept" });
  await receive.pipe((event) =>
    event.type === "websocket.receive" ? send({ ...event, type: "websocket.send" }) : undefined,
  );
};

interface Client {
  readonly socket: WebSocket;
  readonly extensions: string | undefined;
  /** Sends `data`, and gives what comes back with the bytes it took on the wire. */
  roundTrip(data: string | Uint8Array): Promise<{ data: unknown; wire: number }>;
}

async function client(url: string, perMessageDeflate: ClientOptions["perMessageDeflate"]): Promise<Client> {
  const socket = new WebSocket(url, { perMessageDeflate });
  onTestFinished(() => socket.terminate());
  const [[response]] = await Promise.all([once(socket, "upgrade"), once(socket, "open")]);
  let wire = 0;
  response.socket.on("data", (bytes: Buffer) => {
    wire += bytes.length;
  });
  return {
    socket,
    extensions: response.headers["sec-websocket-extensions"],
    async roundTrip(data) {
      const before = wire;
      socket.send(data);
      const [answer, isBinary] = await once(socket, "message");
      return { data: isBinary ? new Uint8Array(answer) : String(answer), wire: wire - before };
    },
  };
}

const text = "Once more unto the breach, dear friends. ".repeat(500);

describe("compression", () => {
  it("shrinks long messages, and leaves short ones alone", async () => {
    const { url } = await start({ websocket: echo }, { compression: true });
    const { roundTrip } = await client(url, { threshold: 0 });
    const long = await roundTrip(text);
    expect(long.data).toBe(text);
    expect(long.wire).toBeLessThan(text.length / 10);
    // Its two bytes of header, and every byte of it.
    expect(await roundTrip("x".repeat(100))).toEqual({ data: "x".repeat(100), wire: 102 });
  });

  it("is not taken up with a client that asks for a smaller window than ours", async () => {
    const { url } = await start({ websocket: echo }, { compression: true });
    const { extensions, roundTrip } = await client(url, { serverMaxWindowBits: 9 });
    expect(extensions).toBeUndefined();
    expect((await roundTrip(text)).data).toBe(text);
  });
});

it("a small message that inflates to a very large one is not inflated", async () => {
  const received: string[] = [];
  let over = (_code: number): void => {};
  const ended = new Promise<number>((resolve) => {
    over = resolve;
  });
  const { port } = await start(
    {
      websocket: async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe((event) => {
          received.push(event.type);
          if (event.type === "websocket.disconnect") over(event.code);
        });
      },
    },
    { compression: true },
  );
  const socket = open(port);
  socket.write(handshake.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
  await once(socket, "data");
  const piece = deflateRawSync(Buffer.alloc(mebibyte), { finishFlush: constants.Z_SYNC_FLUSH });
  const bomb = Buffer.concat(Array<Buffer>(256).fill(piece)).subarray(0, -4);
  expect(bomb.length).toBeLessThan(mebibyte);
  const head = Buffer.alloc(14);
  // Of a masked, compressed, binary frame, with a length of eight bytes and a mask of zeros.
  head.writeUInt16BE(0xc2ff);
  head.writeBigUInt64BE(BigInt(bomb.length), 2);
  const before = process.memoryUsage().rss;
  socket.write(Buffer.concat([head, bomb]));
  expect(await ended).toBe(1006);
  await endOf(socket);
  expect(received).toEqual(["websocket.connect", "websocket.disconnect"]);
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * mebibyte);
});
