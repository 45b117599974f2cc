import { type App, ClientDisconnected, ProtocolError, type ReceiveEvent } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { type Deferred, deferred } from "./deferred.js";
import { closeOf, closePayload, frame, opcode } from "./frame.js";
import { realIo, start, type TransportContract, testIfCapable } from "./harness.js";
import { RawClient } from "./raw-client.js";
import { WebSocketClient } from "./websocket-client.js";

type Disconnect = Extract<ReceiveEvent<"websocket">, { type: "websocket.disconnect" }>;

/** Accepts, and tells how it ended. */
const waitForEnd = (end: Deferred<Disconnect>): App<"websocket"> => {
  return async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive.pipe((event) => (event.type === "websocket.disconnect" ? end.resolve(event) : undefined));
  };
};

/** Every code that an endpoint may put into a close frame (RFC 6455 7.4 and the IANA registry), or one of its range. */
const closeCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4401, 4999];
const rareCloseCodes = [1012, 1013, 1014, 3000, 3999];

/** 123 bytes. */
const longestReason = "ü".repeat(61).concat("!");

export function closing(contract: TransportContract): void {
  describe("by the application", () => {
    test.each([
      ["a code and a reason", { code: 4007, reason: "why" }, { code: 4007, reason: "why" }],
      ["nothing", {}, { code: 1000, reason: "" }],
      ["the longest reason", { code: 3000, reason: longestReason }, { code: 3000, reason: longestReason }],
      ["a code of the registry", { code: 1012 }, { code: 1012, reason: "" }],
    ])(
      "close with %s reaches the client, and the application's disconnect says the same",
      async (_what, close, seen) => {
        const end = deferred<unknown>();
        const { port, server } = await start(contract, {
          websocket: async (_scope, receive, send) => {
            await receive();
            await send({ type: "websocket.accept" });
            await send({ type: "websocket.close", ...close });
            end.resolve(await receive());
          },
        });
        const client = await RawClient.upgrade(port);
        const answer = await client.frame();
        expect(answer.opcode).toBe(opcode.close);
        expect(closeOf(answer)).toEqual(seen);
        client.write(frame(opcode.close, answer.payload));
        expect(await end.promise).toEqual({ type: "websocket.disconnect", ...seen });
        // The server ends the TCP connection (RFC 6455 7.1.1).
        expect(await client.rest()).toHaveLength(0);
        expect(server.connections.websocket).toBe(0);
      },
    );

    test.each([...closeCodes, ...rareCloseCodes])("close %i reaches the client", async (code) => {
      const end = deferred<unknown>();
      const { port } = await start(contract, {
        websocket: async (_scope, receive, send) => {
          await receive();
          await send({ type: "websocket.accept" });
          await send({ type: "websocket.close", code, reason: "bye" });
          end.resolve(await receive());
        },
      });
      const client = await RawClient.upgrade(port);
      const close = await client.frame();
      expect([close.opcode, closeOf(close)]).toEqual([opcode.close, { code, reason: "bye" }]);
      client.write(frame(opcode.close, close.payload));
      expect(await end.promise).toEqual({ type: "websocket.disconnect", code, reason: "bye" });
    });

    test("close in the tick that brought the handshake: accepted, closed, and told to the application", async () => {
      const end = deferred<unknown>();
      const { port, server } = await start(contract, {
        websocket: (_scope, receive, send) => {
          void send({ type: "websocket.accept" });
          void send({ type: "websocket.close", code: 4001 });
          return receive.pipe((event) => {
            if (event.type === "websocket.disconnect") end.resolve(event);
          });
        },
      });
      const client = await RawClient.upgrade(port);
      expect(closeOf(await client.frame()).code).toBe(4001);
      expect(await end.promise).toEqual({ type: "websocket.disconnect", code: 4001, reason: "" });
      await realIo();
      expect(server.connections.websocket).toBe(0);
    });

    test("a message sent just before close arrives before it", async () => {
      const { port } = await start(contract, {
        websocket: async (_scope, _receive, send) => {
          await send({ type: "websocket.accept" });
          await realIo();
          await send({ type: "websocket.send", text: "goodbye" });
          await send({ type: "websocket.close" });
        },
      });
      const client = await WebSocketClient.open(port);
      expect(await client.next()).toBe("goodbye");
      expect(await client.closed).toEqual({ code: 1000, reason: "" });
    });

    test("returning closes with 1000", async () => {
      const { port } = await start(contract, {
        websocket: async (_scope, _receive, send) => {
          await send({ type: "websocket.accept" });
        },
      });
      expect(await (await WebSocketClient.open(port)).closed).toMatchObject({ code: 1000 });
    });

    test.each(["at once", "in a later tick", "while handling a message"])(
      "a throw %s closes with 1011, and is logged",
      async (when) => {
        const failure = new Error("the secret");
        const { port, logger, server } = await start(contract, {
          websocket: async (_scope, receive, send) => {
            await send({ type: "websocket.accept" });
            if (when === "in a later tick") await realIo();
            if (when !== "while handling a message") throw failure;
            await receive.pipe((event) => {
              if (event.type === "websocket.receive") throw failure;
            });
          },
        });
        const client = await RawClient.upgrade(port);
        if (when === "while handling a message") client.write(frame(opcode.text, "go"));
        const { code, reason } = closeOf(await client.frame());
        expect(code).toBe(1011);
        expect(reason).not.toContain("secret");
        expect(logger.errors).toEqual([failure]);
        expect(server.connections.websocket).toBe(0);
      },
    );

    test.each<[string, object, number | string]>([
      ["1005", { code: 1005 }, "expected a close code"],
      ["999", { code: 999 }, "expected a close code"],
      ["2000", { code: 2000 }, "expected a close code"],
      ["5000", { code: 5000 }, "expected a close code"],
      ["a reason of 124 bytes", { code: 4000, reason: "ü".repeat(62) }, "at most 123 bytes"],
    ])("close with %s is a TypeError that does not touch the socket", async (_what, close, message) => {
      const thrown = deferred<unknown>();
      const { port } = await start(contract, {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          try {
            await send({ type: "websocket.close", ...close });
          } catch (error) {
            thrown.resolve(error);
          }
          await send({ type: "websocket.send", text: "still open" });
          await receive.pipe(() => {});
        },
      });
      expect(await (await WebSocketClient.open(port)).next()).toBe("still open");
      const error = await thrown.promise;
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toContain(message);
    });

    test("a second accept is a ProtocolError, and so is anything after close", async () => {
      const thrown: unknown[] = [];
      const attempt = async (act: () => unknown): Promise<void> => {
        try {
          await act();
        } catch (error) {
          thrown.push(error);
        }
      };
      const done = deferred();
      const { port } = await start(contract, {
        websocket: async (_scope, _receive, send) => {
          await send({ type: "websocket.accept" });
          await attempt(() => send({ type: "websocket.accept" }));
          await send({ type: "websocket.close" });
          await attempt(() => send({ type: "websocket.send", text: "late" }));
          await attempt(() => send({ type: "websocket.close" }));
          done.resolve();
        },
      });
      await WebSocketClient.open(port);
      await done.promise;
      expect(thrown).toEqual([expect.any(ProtocolError), expect.any(ProtocolError), expect.any(ProtocolError)]);
      expect(String(thrown[0])).toContain('expected "websocket.send" or "websocket.close", got "websocket.accept"');
    });
  });

  describe("by the client", () => {
    const tells = async (code: number): Promise<void> => {
      const end = deferred<Disconnect>();
      const { port } = await start(contract, { websocket: waitForEnd(end) });
      const client = await RawClient.upgrade(port);
      client.write(frame(opcode.close, closePayload(code, "bye")));
      expect(closeOf(await client.frame()).code).toBe(code);
      expect(await end.promise).toEqual({ type: "websocket.disconnect", code, reason: "bye" });
    };

    test.each(closeCodes)("close %i is answered with the same, and told to the application", tells);
    for (const code of rareCloseCodes) {
      testIfCapable(contract, "reportsEveryCloseCode", `close ${code} is told to the application as well`, () =>
        tells(code),
      );
    }

    test("close without a code is 1005", async () => {
      const end = deferred<Disconnect>();
      const { port } = await start(contract, { websocket: waitForEnd(end) });
      const client = await RawClient.upgrade(port);
      client.write(frame(opcode.close));
      expect(await end.promise).toEqual({ type: "websocket.disconnect", code: 1005, reason: "" });
    });

    test.each<[string, (client: RawClient) => unknown]>([
      ["ends the TCP connection", ({ socket }) => socket.end()],
      ["resets the TCP connection", ({ socket }) => socket.resetAndDestroy()],
      ["dies in the middle of a frame", (client) => client.socket.end(frame(opcode.text, "abc").subarray(0, 4))],
    ])("one that %s is 1006, and sending is ClientDisconnected", async (_what, leave) => {
      const outcome = deferred<unknown[]>();
      const { port, server, logger } = await start(contract, {
        websocket: async (scope, receive, send) => {
          await receive();
          await send({ type: "websocket.accept" });
          const event = await receive();
          const error = await Promise.resolve()
            .then(() => send({ type: "websocket.send", text: "too late" }))
            .catch((reason: unknown) => reason);
          outcome.resolve([event, scope.signal().aborted, error, await receive().catch((reason: unknown) => reason)]);
        },
      });
      leave(await RawClient.upgrade(port));
      expect(await outcome.promise).toEqual([
        { type: "websocket.disconnect", code: 1006, reason: "" },
        true,
        expect.any(ClientDisconnected),
        expect.any(ClientDisconnected),
      ]);
      await realIo();
      expect(server.connections.websocket).toBe(0);
      expect(logger.errors).toEqual([]);
    });
  });

  describe("a client that breaks the protocol loses its connection:", () => {
    test.each<[string, number, Buffer[]]>([
      ["invalid UTF-8 in a text", 1007, [frame(opcode.text, Buffer.from([0xff, 0xfe]))]],
      ["a reserved bit", 1002, [frame(opcode.text, "abc", { reserved: 4 })]],
      ["an opcode that is not defined", 1002, [frame(3, "abc")]],
      ["a control opcode that is not defined", 1002, [frame(11)]],
      ["a ping in fragments", 1002, [frame(opcode.ping, "abc", { final: false })]],
      ["a ping of 126 bytes", 1002, [frame(opcode.ping, "x".repeat(126))]],
      ["a continuation of nothing", 1002, [frame(opcode.continuation, "abc")]],
      ["a text within a text", 1002, [frame(opcode.text, "a", { final: false }), frame(opcode.text, "b")]],
    ])("%s", async (_what, code, frames) => {
      const end = deferred<Disconnect>();
      const { port } = await start(contract, { websocket: waitForEnd(end) });
      const client = await RawClient.upgrade(port);
      for (const bytes of frames) client.write(bytes);
      // A close frame, or just the end: RFC 6455 7.1.7 allows both.
      const rest = await client.rest();
      if (rest.length > 0) expect(rest.readUInt16BE(2)).toBe(code);
      expect([code, 1006]).toContain((await end.promise).code);
    });

    test.each<[string, Buffer, number[]]>([
      // Half a code may be none.
      ["of one byte", Buffer.from("x"), [1002, 1005, 1006]],
      ["with 1005", closePayload(1005), [1002, 1006]],
      ["with 999", closePayload(999), [1002, 1006]],
    ])("a close frame %s, which the application is not told as it stands", async (_what, payload, told) => {
      const end = deferred<Disconnect>();
      const { port } = await start(contract, { websocket: waitForEnd(end) });
      const client = await RawClient.upgrade(port);
      client.write(frame(opcode.close, payload));
      const rest = await client.rest();
      // A close frame with or without a code, or just the end.
      if (rest.length > 2) expect(rest.readUInt16BE(2)).toBe(1002);
      expect(told).toContain((await end.promise).code);
    });

    testIfCapable(contract, "checksMask", "a frame without a mask", async () => {
      const { port } = await start(contract, { websocket: waitForEnd(deferred()) });
      const client = await RawClient.upgrade(port);
      client.write(frame(opcode.text, "abc", { masked: false }));
      const rest = await client.rest();
      if (rest.length > 0) expect(rest.readUInt16BE(2)).toBe(1002);
    });
  });

  test("a client that answers no ping is 1006 in time", { timeout: 40_000 }, async () => {
    const end = deferred<Disconnect>();
    const { port } = await start(contract, { websocket: waitForEnd(end) }, { idleTimeout: 8 });
    const client = await RawClient.upgrade(port);
    const from = performance.now();
    expect((await client.frame()).opcode).toBe(opcode.ping);
    expect(await end.promise).toMatchObject({ code: 1006 });
    expect(performance.now() - from).toBeLessThan(20_000);
  });
}
