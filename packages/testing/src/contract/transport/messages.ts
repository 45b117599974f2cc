import { describe, expect, test } from "vitest";
import { echo } from "./applications.js";
import { deferred } from "./deferred.js";
import { frame, opcode } from "./frame.js";
import { realIo, start, type TransportContract } from "./harness.js";
import { RawClient } from "./raw-client.js";
import { WebSocketClient } from "./websocket-client.js";

const kibibyte = 1024;

export function messages(contract: TransportContract): void {
  test("text stays text and binary stays binary, empty ones too", async () => {
    const { port } = await start(contract, { websocket: echo });
    const client = await WebSocketClient.open(port);
    const all = [
      "text",
      Buffer.from("binary"),
      "",
      Buffer.alloc(0),
      "\ufeffünï \u{1f600}\0",
      Buffer.from([0, 255, 128]),
    ];
    for (const message of all) client.socket.send(message);
    expect(await client.take(all.length)).toEqual(all);
  });

  test("an empty text is a frame of its own", async () => {
    const { port } = await start(contract, {
      websocket: async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await send({ type: "websocket.send", text: "" });
        await receive.pipe(() => {});
      },
    });
    const client = await RawClient.upgrade(port);
    expect(await client.frame()).toEqual({ opcode: opcode.text, final: true, payload: Buffer.alloc(0) });
  });

  test("half a surrogate pair goes out as a replacement character", async () => {
    const { port } = await start(contract, {
      websocket: async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await send({ type: "websocket.send", text: "a\ud800b" });
        await receive.pipe(() => {});
      },
    });
    const client = await RawClient.upgrade(port);
    expect((await client.frame()).payload.toString()).toBe("a\ufffdb");
  });

  test("a payload can be read long after it came", async () => {
    const kept = deferred<Uint8Array[]>();
    const { port } = await start(contract, {
      websocket: async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        const payloads: Uint8Array[] = [];
        while (payloads.length < 20) {
          const event = await receive();
          if (event.type === "websocket.receive" && event.bytes !== undefined) payloads.push(event.bytes);
        }
        await realIo();
        kept.resolve(payloads);
      },
    });
    const client = await WebSocketClient.open(port);
    const sent = Array.from({ length: 20 }, (_, index) => Buffer.alloc(1000 + index, index));
    for (const payload of sent) client.socket.send(payload);
    expect(Buffer.concat(await kept.promise).equals(Buffer.concat(sent))).toBe(true);
  });

  test("an asynchronous application gets one message at a time, in order", async () => {
    let running = 0;
    let most = 0;
    const { port } = await start(contract, {
      websocket: async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe(async (event) => {
          running += 1;
          most = Math.max(most, running);
          await realIo();
          if (event.type === "websocket.receive") await send({ type: "websocket.send", text: event.text ?? "" });
          running -= 1;
        });
      },
    });
    const client = await WebSocketClient.open(port);
    const sent = Array.from({ length: 100 }, (_, index) => `message ${index}`);
    for (const message of sent) client.socket.send(message);
    expect(await client.take(sent.length)).toEqual(sent);
    expect(most).toBe(1);
  });

  test("messages sent in one go arrive in order, small and large", async () => {
    const sent = Array.from({ length: 60 }, (_, index) => String(index).padEnd(index % 3 === 0 ? 40_000 : 10, "."));
    const { port } = await start(contract, {
      websocket: async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        const pending = sent.map((text) => send({ type: "websocket.send", text }));
        for (const one of pending) await one;
        await receive.pipe(() => {});
      },
    });
    expect(await (await WebSocketClient.open(port)).take(sent.length)).toEqual(sent);
  });

  test("fragments come as one message, with a ping answered in between", async () => {
    const { port } = await start(contract, { websocket: echo });
    const client = await RawClient.upgrade(port);
    const text = Buffer.from("grüße");
    client.write(frame(opcode.text, text.subarray(0, 3), { final: false }));
    client.write(frame(opcode.ping, "still there?"));
    client.write(frame(opcode.continuation, text.subarray(3, 4), { final: false }));
    client.write(frame(opcode.continuation, text.subarray(4)));
    client.write(frame(opcode.binary, "by", { final: false }));
    client.write(frame(opcode.continuation, "tes"));
    expect(await client.frame()).toMatchObject({ opcode: opcode.pong, payload: Buffer.from("still there?") });
    expect(await client.frame()).toMatchObject({ opcode: opcode.text, payload: text });
    expect(await client.frame()).toMatchObject({ opcode: opcode.binary, payload: Buffer.from("bytes") });
  });

  test("empty fragments count for nothing, and a message of nothing else is empty", async () => {
    const { port } = await start(contract, { websocket: echo });
    const client = await RawClient.upgrade(port);
    for (const [code, pieces] of [
      [opcode.text, ["", "a", "", "b", ""]],
      [opcode.binary, ["", ""]],
    ] as const) {
      for (const [index, piece] of pieces.entries()) {
        client.write(frame(index === 0 ? code : opcode.continuation, piece, { final: index === pieces.length - 1 }));
      }
      expect(await client.frame()).toEqual({ opcode: code, final: true, payload: Buffer.from(pieces.join("")) });
    }
  });

  test("a ping is answered with what it carries, up to 125 bytes, and a pong with nothing", async () => {
    const { port } = await start(contract, { websocket: echo });
    const client = await RawClient.upgrade(port);
    for (const payload of [Buffer.alloc(0), Buffer.from([0, 255]), Buffer.alloc(125, "x")]) {
      client.write(frame(opcode.pong, payload));
      client.write(frame(opcode.ping, payload));
      expect(await client.frame()).toEqual({ opcode: opcode.pong, final: true, payload });
    }
    // The application has seen none of them.
    client.write(frame(opcode.text, "first"));
    expect((await client.frame()).payload.toString()).toBe("first");
  });

  test("a frame that comes byte by byte is one message", async () => {
    const { port } = await start(contract, { websocket: echo });
    const client = await RawClient.upgrade(port);
    client.socket.setNoDelay(true);
    for (const byte of frame(opcode.text, "slowly")) {
      client.write(Buffer.from([byte]));
      await realIo();
    }
    expect((await client.frame()).payload.toString()).toBe("slowly");
  });

  describe("too large", () => {
    const maxMessageSize = 100 * kibibyte;

    test("a message of the maximum size is delivered", async () => {
      const { port } = await start(contract, { websocket: echo }, { limits: { maxMessageSize } });
      const client = await WebSocketClient.open(port);
      client.socket.send(Buffer.alloc(maxMessageSize));
      expect(await client.next()).toHaveLength(maxMessageSize);
      // Bytes count, not characters.
      client.socket.send("ü".repeat(maxMessageSize / 2));
      expect(await client.next()).toHaveLength(maxMessageSize / 2);
    });

    test.each([
      ["one byte more", [maxMessageSize + 1], [1009]],
      ["one byte more in fragments", [maxMessageSize, 1], [1009]],
      ["far more", [100 * maxMessageSize], [1006, 1009]],
      ["far more in fragments", Array.from({ length: 50 }, () => maxMessageSize), [1006, 1009]],
    ])("%s ends the connection", async (_what, sizes, codes) => {
      const received: unknown[] = [];
      const end = deferred<{ code: number }>();
      const { port } = await start(
        contract,
        {
          websocket: async (_scope, receive, send) => {
            await send({ type: "websocket.accept" });
            await receive.pipe((event) => {
              if (event.type === "websocket.disconnect") end.resolve(event);
              else received.push(event);
            });
          },
        },
        { limits: { maxMessageSize } },
      );
      const client = await WebSocketClient.open(port);
      for (const [index, size] of sizes.entries()) {
        client.socket.send(Buffer.alloc(size), { fin: index === sizes.length - 1 });
      }
      expect(codes).toContain((await client.closed).code);
      expect(codes).toContain((await end.promise).code);
      expect(received).toEqual([{ type: "websocket.connect" }]);
    });
  });
}
