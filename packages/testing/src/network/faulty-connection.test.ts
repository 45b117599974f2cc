import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { systemClock } from "@sluice/core";
import { expect, it, onTestFinished } from "vitest";
import { FaultyConnection } from "./faulty-connection.js";

/** Both ends of a connection. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const near = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
  const [[far]] = (await Promise.all([once(server, "connection"), once(near, "connect")])) as [[Socket], unknown];
  server.close();
  for (const socket of [near, far]) socket.on("error", () => {});
  onTestFinished(() => void near.destroy());
  onTestFinished(() => void far.destroy());
  return { near, far };
}

it("reads on after a thaw only where the other side takes what it is sent", async () => {
  const client = await pair();
  const server = await pair();
  const connection = new FaultyConnection(client.far, server.near, { kind: "none" }, systemClock, false);
  // Nobody reads on the client's side, so that it fills every buffer on its way.
  const size = 32 * 1024 * 1024;
  server.far.end(Buffer.alloc(size));
  await expect.poll(() => connection.server.isPaused()).toBe(true);
  connection.freeze();
  connection.thaw();
  expect(connection.server.isPaused()).toBe(true);
  expect(connection.client.isPaused()).toBe(false);
  let got = 0;
  client.near.on("data", ({ length }: Buffer) => {
    got += length;
  });
  await once(client.near, "end");
  expect(got).toBe(size);
});
