import type { ReceiveEvent } from "@sluice/core";
import { FakeClock } from "@sluice/testing";
import { beforeEach, expect, it } from "vitest";
import { endOf, handshake, open, start } from "../test/site.js";
import { skipWithoutBinary } from "../test/skip-without-binary.js";
import { closeTimeout } from "./connection-settings.js";

beforeEach(skipWithoutBinary);

/** A close frame with 1013 and its reason, as the server sends it. */
const closeFrame = Buffer.concat([Buffer.from([0x88, 15, 0x03, 0xf5]), Buffer.from("slow consumer")]);

it.each([
  ["in time gets its close frame", 0, true],
  ["only after the time for it is cut", closeTimeout, false],
])("a client that is too slow and takes what waits for it %s", async (_what, elapsed, isWhole) => {
  const clock = new FakeClock();
  let tell: (event: ReceiveEvent<"websocket">) => void = () => {};
  const told = new Promise<ReceiveEvent<"websocket">>((resolve) => {
    tell = resolve;
  });
  const server = await start(
    {
      websocket: async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        const piece = new Uint8Array(256 * 1024);
        try {
          // Not waiting is the fault under test.
          for (;;) void send({ type: "websocket.send", bytes: piece });
        } catch {
          await receive.pipe((event) => (event.type === "websocket.disconnect" ? tell(event) : undefined));
        }
      },
    },
    { clock, limits: { sendTimeout: 0 } },
  );
  const socket = open(server.port);
  socket.pause();
  socket.write(handshake);
  // At once, not when the client has come round.
  expect(await told).toMatchObject({ code: 1013 });
  await clock.advance(elapsed);
  let tail = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    tail = Buffer.concat([tail, bytes]).subarray(-closeFrame.length);
  });
  await endOf(socket);
  expect(tail.equals(closeFrame)).toBe(isWhole);
});
