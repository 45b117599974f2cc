import { type App, ClientDisconnected } from "@sluice/core";
import { expect, test } from "vitest";
import { answering } from "./applications.js";
import { deferred } from "./deferred.js";
import { realIo, start, type TransportContract } from "./harness.js";
import { headerLines, RawClient } from "./raw-client.js";
import { request } from "./request-text.js";

export function waitingClients(contract: TransportContract): void {
  test("a long poll is answered when there is something to say, and the connection goes on", async () => {
    const called = deferred();
    const news = deferred<string>();
    const { port, server } = await start(contract, {
      http: async (scope, receive, send) => {
        called.resolve();
        return answering(`${scope.path} ${await news.promise}`)(scope, receive, send);
      },
    });
    const client = await RawClient.send(port, request("GET", "/poll"));
    await called.promise;
    const other = await RawClient.send(port, request("GET", "/other"));
    await expect.poll(() => server.connections.http).toBe(2);
    for (let turn = 0; turn < 20; turn += 1) await realIo();
    expect(client.received).toBe(0);
    news.resolve("news");
    expect((await client.response()).body.toString()).toBe("/poll news");
    expect((await other.response()).body.toString()).toBe("/other news");
    client.write(request("GET", "/again"));
    expect((await client.response()).body.toString()).toBe("/again news");
  });

  test("server-sent events come one by one for as long as the client stays, and the application is told when it goes", async () => {
    const events = [deferred<string>(), deferred<string>(), deferred<string>()];
    const end = deferred<unknown[]>();
    const http: App<"http"> = async (scope, receive, send) => {
      const signal = scope.signal();
      await receive();
      const gone = receive();
      const headers = [
        ["content-type", "text/event-stream"],
        ["cache-control", "no-store"],
      ] as const;
      await send({ type: "http.response.start", status: 200, headers });
      await send({ type: "http.response.body", body: ": hello\n\n", moreBody: true });
      for (const event of events) {
        await send({ type: "http.response.body", body: `data: ${await event.promise}\n\n`, moreBody: true });
      }
      const disconnect = await gone;
      const error = await Promise.resolve()
        .then(() => send({ type: "http.response.body", body: "data: late\n\n", moreBody: true }))
        .catch((reason: unknown) => reason);
      end.resolve([disconnect, signal.aborted, error]);
    };
    const { port, server, logger } = await start(contract, { http });
    const client = await RawClient.send(port, request("GET", "/events", ["Accept: text/event-stream"]));
    const head = await client.head();
    expect(headerLines({ ...head, body: Buffer.alloc(0) }, "content-type")).toEqual(["text/event-stream"]);
    expect((await client.chunk()).toString()).toBe(": hello\n\n");
    for (const [index, event] of events.entries()) {
      await realIo();
      // Nothing but the line break that ends the chunk before.
      expect(client.received).toBeLessThanOrEqual(2);
      event.resolve(`${index}`);
      expect((await client.chunk()).toString()).toBe(`data: ${index}\n\n`);
    }
    client.socket.destroy();
    expect(await end.promise).toEqual([{ type: "http.disconnect" }, true, expect.any(ClientDisconnected)]);
    await realIo();
    expect(server.connections.http).toBe(0);
    expect(logger.errors).toEqual([]);
  });
}
