import { promisify } from "node:util";
import { deflateRaw, inflateRawSync } from "node:zlib";
import type { App } from "@sluice/core";
import { expect, test } from "vitest";
import { echo } from "./applications.js";
import { deferred } from "./deferred.js";
import { closeOf, frame, opcode } from "./frame.js";
import { start, type TransportContract, testIfCapable } from "./harness.js";
import { headerLines, RawClient } from "./raw-client.js";
import { handshake } from "./request-text.js";
import { WebSocketClient } from "./websocket-client.js";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

const lines = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"];

/** The reserved bit of a message that is compressed (RFC 7692 6). */
const compressed = { reserved: 4 };
/** What a sender leaves out at the end of a message (RFC 7692 7.2.1). */
const tail = Buffer.from([0, 0, 0xff, 0xff]);

/** A message as a client compresses it. */
async function deflate(data: Buffer): Promise<Buffer> {
  const bytes = await promisify(deflateRaw)(data, { finishFlush: 2 });
  return bytes.subarray(0, -tail.length);
}

export function compression(contract: TransportContract): void {
  /** Connects and offers to compress. */
  const connect = async (port: number): Promise<{ client: RawClient; extensions: string[] }> => {
    const client = await RawClient.send(port, handshake("/", { lines }));
    return { client, extensions: headerLines(await client.response(), "sec-websocket-extensions") };
  };

  test("is refused where it is off, and what is compressed all the same ends the connection", async () => {
    const { port } = await start(contract, { websocket: echo }, { compression: false });
    const { client, extensions } = await connect(port);
    expect(extensions).toEqual([]);
    client.write(frame(opcode.text, await deflate(Buffer.from("hello")), compressed));
    const rest = await client.rest();
    if (rest.length > 0) expect(rest.readUInt16BE(2)).toBe(1002);
  });

  testIfCapable(contract, "compresses", "is taken up with a client that offers it, and no other", async () => {
    const { port } = await start(contract, { websocket: echo }, { compression: true });
    const { client, extensions } = await connect(port);
    expect(extensions).toEqual([expect.stringMatching(/^permessage-deflate/)]);
    client.write(frame(opcode.text, await deflate(Buffer.from("hello ".repeat(10_000))), compressed));
    const { payload } = await client.frame();
    expect(payload.length).toBeLessThan(6_000);
    expect(inflateRawSync(Buffer.concat([payload, tail]), { finishFlush: 2 }).toString()).toBe("hello ".repeat(10_000));

    const plain = await RawClient.send(port, handshake("/"));
    expect(headerLines(await plain.response(), "sec-websocket-extensions")).toEqual([]);
    plain.write(frame(opcode.text, "hello ".repeat(10_000)));
    expect((await plain.frame()).payload).toHaveLength(60_000);
  });

  testIfCapable(contract, "compresses", "keeps messages as they were, and in order", async () => {
    const { port } = await start(contract, { websocket: echo }, { compression: true });
    const client = await WebSocketClient.open(port, "/", [], { perMessageDeflate: { threshold: 0 } });
    expect(client.socket.extensions).toBe("permessage-deflate");
    const all = Array.from({ length: 60 }, (_, index) => [
      `${index} ${"text".repeat(index * 500)}`,
      Buffer.alloc(index * 500, index),
      "",
    ]).flat();
    for (const message of all) client.socket.send(message);
    expect(await client.take(all.length)).toEqual(all);
  });

  testIfCapable(contract, "compresses", "does not keep a message from a client that closes after it", async () => {
    const { port } = await start(
      contract,
      {
        websocket: async (_scope, _receive, send) => {
          await send({ type: "websocket.accept" });
          await send({ type: "websocket.send", text: "goodbye ".repeat(10_000) });
          await send({ type: "websocket.close", code: 4000 });
        },
      },
      { compression: true },
    );
    const client = await WebSocketClient.open(port, "/", [], { perMessageDeflate: true });
    expect(await client.next()).toBe("goodbye ".repeat(10_000));
    expect(await client.closed).toMatchObject({ code: 4000 });
  });

  for (const [what, size, codes] of [
    ["a little", 64 * kibibyte + 1, [1009]],
    ["a thousandfold", 64 * mebibyte, [1006, 1009]],
  ] as const) {
    testIfCapable(contract, "compresses", `is no way to send ${what} more than the maximum`, async () => {
      const received: string[] = [];
      const end = deferred<number>();
      const websocket: App<"websocket"> = async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe((event) => {
          received.push(event.type);
          if (event.type === "websocket.disconnect") end.resolve(event.code);
        });
      };
      const limits = { maxMessageSize: 64 * kibibyte };
      const { port, server } = await start(contract, { websocket }, { compression: true, limits });
      const { client } = await connect(port);
      client.write(frame(opcode.binary, await deflate(Buffer.alloc(size)), compressed));
      expect(codes).toContain(await end.promise);
      const rest = await client.rest();
      if (rest.length > 0)
        expect(closeOf({ opcode: opcode.close, final: true, payload: rest.subarray(2) }).code).toBe(1009);
      expect(received).toEqual(["websocket.connect", "websocket.disconnect"]);
      expect(server.connections.websocket).toBe(0);
    });
  }
}
