import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { describeTransports } from "./transports.js";

const slowClients = 200;
const fastClients = 5;

const kibibyte = 1024;
const mebibyte = kibibyte * kibibyte;

/** 10 MB/s, for every member of the group. */
const settings = {
  messageSize: 62_500,
  messagesPerSecond: 160,
  seconds: 10,
  maxBackpressure: 256 * kibibyte,
  sendTimeout: 2_000,
  /** Messages in a member's mailbox: three seconds of the feed, in case a fast one is kept waiting by this machine. */
  capacity: 480,
};

/**
 * Per slow client: what `maxBackpressure` lets wait, and the one message that is taken on top, both once as they are
 * and once as they are copied. For all together: the messages in the mailboxes, which share each of them, and as much
 * again for what has not been collected yet. Without a bound each of the 200 would hold 100 MB.
 */
const memoryBound =
  slowClients * 2 * (settings.maxBackpressure + settings.messageSize) +
  2 * settings.capacity * settings.messageSize +
  64 * mebibyte;

async function message<Content>(server: ChildProcess): Promise<Content> {
  const [content] = await once(server, "message");
  return content as Content;
}

/** A client that gets through the handshake and then reads nothing more. */
async function slowClient(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const [head] = await once(socket, "data");
  if (!String(head).startsWith("HTTP/1.1 101")) throw new Error(`expected status 101, got ${head}`);
  socket.pause();
  return socket;
}

/** A client that reads. Resolves `all` with the number of each message when it has got as many as there are. */
async function fastClient(port: number, total: number): Promise<{ socket: WebSocket; all: Promise<number[]> }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  onTestFinished(() => socket.terminate());
  const numbers: number[] = [];
  const all = new Promise<number[]>((resolve, reject) => {
    socket.on("message", (data: Buffer) => {
      numbers.push(Number.parseInt(data.toString("latin1", 0, 10), 10));
      if (numbers.length === total) resolve(numbers);
    });
    socket.on("close", (code) => reject(new Error(`expected ${total} messages, got ${numbers.length}, then ${code}`)));
  });
  await once(socket, "open");
  return { socket, all };
}

describeTransports((transport) => {
  it("200 clients that stop reading are sent away; the others lose nothing, and memory stays in bounds", async () => {
    const server = fork(
      fileURLToPath(new URL("fixtures/feed-server.mjs", import.meta.url)),
      [transport, JSON.stringify(settings)],
      { execArgv: [], env: { PATH: process.env.PATH } },
    );
    onTestFinished(() => void server.kill("SIGKILL"));
    const { port } = await message<{ port: number }>(server);
    const total = settings.messagesPerSecond * settings.seconds;
    const slow = await Promise.all(Array.from({ length: slowClients }, () => slowClient(port)));
    const fast = await Promise.all(Array.from({ length: fastClients }, () => fastClient(port, total)));

    server.send("feed");
    const { base, peak, sent } = await message<{ base: number; peak: number; sent: number }>(server);
    expect(sent).toBe(total);
    const inOrder = Array.from({ length: total }, (_, index) => index);
    for (const { all } of fast) expect(await all).toEqual(inOrder);
    expect(peak - base).toBeLessThan(memoryBound);

    for (const socket of slow) socket.destroy();
    server.send({ staying: fastClients });
    expect(await message(server)).toEqual({
      slowConsumers: slowClients,
      connected: fastClients,
      codes: { 1012: fastClients, 1013: slowClients },
    });
  });
});
