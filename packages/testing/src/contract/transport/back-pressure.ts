import { type App, type ReceiveEvent, SlowConsumer } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { deferred } from "./deferred.js";
import { realIo, start, type TransportContract, testIfCapable } from "./harness.js";
import { turns } from "./http-exchange.js";
import { WebSocketClient } from "./websocket-client.js";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

export function backPressure(contract: TransportContract): void {
  describe("an application that reads too slowly", () => {
    /** Accepts, and reads on only when told to. */
    const hesitant = (goOn: Promise<void>, read: (event: ReceiveEvent<"websocket">) => void): App<"websocket"> => {
      return async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe(async (event) => {
          if (event.type === "websocket.receive") await goOn;
          read(event);
        });
      };
    };

    testIfCapable(contract, "pausesWebSockets", "stops its client, which loses nothing", async () => {
      const goOn = deferred();
      const end = deferred();
      let read = 0;
      const websocket = hesitant(goOn.promise, (event) => {
        read += 1;
        if (event.type === "websocket.disconnect") end.resolve();
      });
      const { port } = await start(contract, { websocket }, { limits: { maxInboxMessages: 10 } });
      const client = await WebSocketClient.open(port);
      for (let index = 0; index < 200; index += 1) client.socket.send(Buffer.alloc(mebibyte / 2, index));
      await turns(port);
      expect(client.socket.bufferedAmount).toBeGreaterThan(10 * mebibyte);
      goOn.resolve();
      client.socket.close(1000);
      expect(await client.closed).toMatchObject({ code: 1000 });
      await end.promise;
      expect(read).toBe(202);
    });

    test.for([
      ["messages", { maxInboxMessages: 10 }],
      ["bytes", { maxInboxBytes: 10_000 }],
    ] as const)("closes 1013 when too many %s wait", async ([_what, limits], context) => {
      context.skip(contract.lacks?.pausesWebSockets === undefined, "this transport stops its client instead");
      const goOn = deferred();
      const read: unknown[] = [];
      const websocket = hesitant(goOn.promise, (event) => read.push(event));
      const { port, server } = await start(contract, { websocket }, { limits });
      const client = await WebSocketClient.open(port);
      for (let index = 0; index < 20; index += 1) client.socket.send(Buffer.alloc(1000));
      expect(await client.closed).toMatchObject({ code: 1013 });
      goOn.resolve();
      await realIo();
      // The one that was being handled is finished, those that waited are gone.
      expect(read).toMatchObject([
        { type: "websocket.connect" },
        { type: "websocket.receive" },
        { type: "websocket.disconnect", code: 1013 },
      ]);
      expect(server.connections.websocket).toBe(0);
    });
  });

  describe("a client that reads too slowly", () => {
    const message = Buffer.alloc(64 * kibibyte, "x");

    test("makes send return a promise until it has caught up, and loses nothing", async () => {
      const waiting = deferred<number>();
      const done = deferred<number>();
      const { port } = await start(contract, {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          let sent = 0;
          for (;;) {
            const pending = send({ type: "websocket.send", bytes: message });
            sent += 1;
            if (pending === undefined) continue;
            waiting.resolve(sent);
            await pending;
            break;
          }
          await send({ type: "websocket.send", text: "caught up" });
          done.resolve(sent);
          await receive.pipe(() => {});
        },
      });
      const client = await WebSocketClient.open(port);
      client.socket.pause();
      const sent = await waiting.promise;
      client.socket.resume();
      const taken = await client.take(sent);
      expect(taken.every((bytes) => message.equals(Buffer.from(bytes)))).toBe(true);
      expect(await client.next()).toBe("caught up");
      expect(await done.promise).toBe(sent);
    });

    test("lets the writer go on although control frames wait as well", async () => {
      const waiting = deferred();
      const { port } = await start(contract, {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          const pending = send({ type: "websocket.send", bytes: new Uint8Array(20 * mebibyte) });
          expect(pending).toBeInstanceOf(Promise);
          waiting.resolve();
          await pending;
          await send({ type: "websocket.send", text: "caught up" });
          await receive.pipe(() => {});
        },
      });
      const client = await WebSocketClient.open(port);
      client.socket.pause();
      await waiting.promise;
      client.socket.ping("x".repeat(100));
      await turns(port);
      client.socket.resume();
      expect(await client.next()).toHaveLength(20 * mebibyte);
      expect(await client.next()).toBe("caught up");
    });

    test("gets what was sent, whatever the application does with its bytes afterwards", async () => {
      const sent = deferred<number>();
      const { port } = await start(contract, {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          const bytes = Buffer.alloc(64 * kibibyte);
          let count = 0;
          for (let pending: unknown; pending === undefined; count += 1) {
            bytes.fill(count % 256);
            pending = send({ type: "websocket.send", bytes });
          }
          bytes.fill(0xff);
          sent.resolve(count);
          await receive.pipe(() => {});
        },
      });
      const client = await WebSocketClient.open(port);
      client.socket.pause();
      const count = await sent.promise;
      client.socket.resume();
      for (const [index, message] of (await client.take(count)).entries()) {
        expect(Buffer.alloc(64 * kibibyte, index % 256).equals(Buffer.from(message))).toBe(true);
      }
    });

    test("gets everything from an application that waits for it, however often it falls behind", async () => {
      const pieces = 4096;
      const { port } = await start(contract, {
        websocket: async (_scope, receive, send) => {
          await send({ type: "websocket.accept" });
          for (let index = 0; index < pieces; index += 1) {
            await send({ type: "websocket.send", bytes: message.subarray(0, 16 * kibibyte) });
          }
          await send({ type: "websocket.send", text: "all" });
          await receive.pipe(() => {});
        },
      });
      const client = await WebSocketClient.open(port);
      const taken = await client.take(pieces);
      expect(taken.every((bytes) => bytes.length === 16 * kibibyte)).toBe(true);
      expect(await client.next()).toBe("all");
    });

    test.each(["at once", "later"])(
      "is closed with 1013 above the limit, which bounds what waits for it (%s)",
      async (when) => {
        // Less than a message: one that is taken whole must not keep the close frame from going out.
        const maxBackpressure = 32 * kibibyte;
        const given = deferred<{ error: unknown; taken: number }>();
        const end = deferred<unknown>();
        const { port, logger } = await start(
          contract,
          {
            websocket: async (_scope, receive, send) => {
              if (when === "later") await realIo();
              await send({ type: "websocket.accept" });
              let taken = 0;
              const trySend = (): unknown => {
                try {
                  // Not waiting is the fault under test.
                  void send({ type: "websocket.send", bytes: message });
                  return undefined;
                } catch (error) {
                  return error;
                }
              };
              let error = trySend();
              while (error === undefined && taken < 256 * mebibyte) {
                taken += message.length;
                error = trySend();
              }
              given.resolve({ error, taken });
              await receive.pipe((event) => (event.type === "websocket.disconnect" ? end.resolve(event) : undefined));
            },
          },
          { maxBackpressure },
        );
        const client = await WebSocketClient.open(port);
        client.socket.pause();
        const { error, taken } = await given.promise;
        expect(error).toBeInstanceOf(SlowConsumer);
        // The limit, and what two sockets of the operating system hold.
        expect(taken).toBeLessThan(maxBackpressure + 32 * mebibyte);
        expect(await end.promise).toMatchObject({ code: 1013 });
        expect(logger.errors).toEqual([error]);
        client.socket.resume();
        expect(await client.closed).toMatchObject({ code: 1013 });
      },
    );
  });
}
