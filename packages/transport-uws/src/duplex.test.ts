import { connect } from "node:net";
import { silentLogger } from "@sluice/core";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { skipWithoutBinary } from "../test/skip-without-binary.js";
import { serve } from "./serve.js";

beforeEach(skipWithoutBinary);

const mebibyte = 1024 * 1024;

// Alone in its file, and so in its process: the native side keeps what it resumes to per thread, and any pause in another
// test would hide that this one had nothing to resume to.
it.each(["reads first", "writes first"])(
  "goes on both ways when an application that %s is behind",
  { timeout: 5_000 },
  async (order) => {
    const size = 24 * mebibyte;
    const server = await serve(
      async (scope, receive, send) => {
        if (scope.type !== "http") return;
        await send({ type: "http.response.start", status: 200 });
        if (order === "writes first") {
          await send({ type: "http.response.body", body: Buffer.alloc(8 * mebibyte), moreBody: true });
        }
        for (let more = true; more; ) {
          const event = await receive();
          if (event.type !== "http.request") return;
          more = event.moreBody;
          await send({ type: "http.response.body", body: event.body, moreBody: more });
        }
      },
      {
        port: 0,
        logger: silentLogger,
        limits: { maxInboxBytes: 256 * 1024, maxBodySize: size },
        maxBackpressure: 256 * 1024,
      },
    );
    onTestFinished(() => server.close({ deadline: 0 }));
    const socket = connect({ port: server.port, host: "127.0.0.1" });
    onTestFinished(() => void socket.destroy());
    socket.write(`POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`);
    const written = new Promise((resolve) => socket.write(Buffer.alloc(size), resolve));
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    let received = 0;
    for await (const chunk of socket) received += (chunk as Buffer).length;
    await written;
    expect(received).toBeGreaterThan(size + (order === "writes first" ? 8 * mebibyte : 0));
  },
);
