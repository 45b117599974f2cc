import { type App, ClientDisconnected, header, type Scope } from "@sluice/core";
import { expect, test } from "vitest";
import { acceptAndStay } from "./applications.js";
import { deferred } from "./deferred.js";
import { realIo, start, type TransportContract, testIfCapable } from "./harness.js";
import { headerLines, RawClient } from "./raw-client.js";
import { exampleAccept, handshake } from "./request-text.js";
import { WebSocketClient } from "./websocket-client.js";

export function acceptedHandshakes(contract: TransportContract): void {
  /** The answer to a handshake. */
  const answer = async (port: number, bytes: string): ReturnType<RawClient["response"]> =>
    (await RawClient.send(port, bytes)).response();

  test("answers as RFC 6455 asks, in the tick that brought the handshake", async () => {
    const { port } = await start(contract, {
      websocket: (_scope, receive, send) => {
        void send({ type: "websocket.accept" });
        void send({ type: "websocket.send", text: "at once" });
        return receive.pipe(() => {});
      },
    });
    const response = await answer(port, handshake("/"));
    expect(response.status).toBe(101);
    expect(headerLines(response, "upgrade").map((value) => value.toLowerCase())).toEqual(["websocket"]);
    expect(headerLines(response, "connection").map((value) => value.toLowerCase())).toEqual(["upgrade"]);
    expect(headerLines(response, "sec-websocket-accept")).toEqual([exampleAccept]);
    expect(headerLines(response, "sec-websocket-protocol")).toEqual([]);
    expect(headerLines(response, "content-length")).toEqual([]);
    expect(await (await WebSocketClient.open(port)).next()).toBe("at once");
  });

  test("works after an await and after real I/O", async () => {
    const { port } = await start(contract, {
      websocket: async (_scope, receive, send) => {
        await receive();
        await realIo();
        await send({ type: "websocket.accept" });
        await send({ type: "websocket.send", text: "later" });
        await receive.pipe(() => {});
      },
    });
    expect(await (await WebSocketClient.open(port)).next()).toBe("later");
  });

  test("gives the application the request as it came, also after an await", async () => {
    const seen = deferred<Scope<"websocket">>();
    const { port } = await start(
      contract,
      {
        websocket: async (scope, receive, send) => {
          await realIo();
          seen.resolve(scope);
          await acceptAndStay(scope, receive, send);
        },
      },
      { rootPath: "/app" },
    );
    await RawClient.upgrade(port, "/app/caf%C3%A9/%2F?token=a%20b&x=?", {
      lines: ["X-Twice: one", "Cookie: a=1", "x-twice: two", "Sec-WebSocket-Protocol: chat, v2.chat"],
    });
    const { headers, client, server, signal: _signal, ...scope } = await seen.promise;
    expect(scope).toMatchObject({
      type: "websocket",
      scheme: "ws",
      httpVersion: "1.1",
      path: "/app/café//",
      rawPath: "/app/caf%C3%A9/%2F",
      queryString: "token=a%20b&x=?",
      rootPath: "/app",
      subprotocols: ["chat", "v2.chat"],
    });
    expect(header({ headers }, "host")).toBe("test.example");
    expect(header({ headers }, "x-twice")).toBe("one, two");
    expect(header({ headers }, "cookie")).toBe("a=1");
    expect(client?.host).toBe("127.0.0.1");
    expect(server).toEqual({ host: "127.0.0.1", port });
  });

  testIfCapable(contract, "keepsHeaderLines", "gives the application the header lines in their order", async () => {
    const seen = deferred<Scope<"websocket">>();
    const { port } = await start(contract, {
      websocket: (scope, receive, send) => {
        seen.resolve(scope);
        return acceptAndStay(scope, receive, send);
      },
    });
    await RawClient.upgrade(port, "/", { lines: ["X-Twice: one", "Cookie: a=1", "x-twice: two"] });
    const { headers } = await seen.promise;
    expect(headers.filter(([name]) => !name.startsWith("sec-websocket-"))).toEqual([
      ["host", "test.example"],
      ["x-twice", "one"],
      ["cookie", "a=1"],
      ["x-twice", "two"],
      ["upgrade", "websocket"],
      ["connection", "Upgrade"],
    ]);
  });

  test("names the subprotocol that the application chose", async () => {
    const { port } = await start(contract, {
      websocket: async (scope, receive, send) => {
        await send({ type: "websocket.accept", subprotocol: scope.subprotocols[1] });
        await receive.pipe(() => {});
      },
    });
    const lines = ["Sec-WebSocket-Protocol: access_token", "Sec-WebSocket-Protocol: v2.chat"];
    expect(headerLines(await answer(port, handshake("/", { lines })), "sec-websocket-protocol")).toEqual(["v2.chat"]);
    expect((await WebSocketClient.open(port, "/", ["a", "b"])).socket.protocol).toBe("b");
  });

  test("sends the accept event's headers, each on its line", async () => {
    const { port } = await start(contract, {
      websocket: async (_scope, receive, send) => {
        await realIo();
        await send({
          type: "websocket.accept",
          headers: [
            ["set-cookie", "a=1; HttpOnly"],
            ["set-cookie", "b=2"],
            ["x-name", "Zoë"],
            ["Content-Length", "5"],
            ["Transfer-Encoding", "chunked"],
          ],
        });
        await send({ type: "websocket.send", text: "still in step" });
        await receive.pipe(() => {});
      },
    });
    const client = await RawClient.send(port, handshake("/"));
    const response = await client.response();
    expect(response.status).toBe(101);
    expect(headerLines(response, "set-cookie")).toEqual(["a=1; HttpOnly", "b=2"]);
    expect(headerLines(response, "x-name")).toEqual(["Zoë"]);
    expect(headerLines(response, "content-length")).toEqual([]);
    expect(headerLines(response, "transfer-encoding")).toEqual([]);
    expect((await client.frame()).payload.toString()).toBe("still in step");
  });

  test("does not take up extensions", async () => {
    const { port } = await start(contract, { websocket: acceptAndStay });
    const lines = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"];
    expect(headerLines(await answer(port, handshake("/", { lines })), "sec-websocket-extensions")).toEqual([]);
  });

  test("a client that goes before accept: disconnect, an aborted signal, and accept throws", async () => {
    const called = deferred();
    const outcome = deferred<unknown[]>();
    const websocket: App<"websocket"> = async (scope, receive, send) => {
      await receive();
      const signal = scope.signal();
      const before = signal.aborted;
      called.resolve();
      const event = await receive();
      const error = await Promise.resolve()
        .then(() => send({ type: "websocket.accept" }))
        .catch((reason: unknown) => reason);
      outcome.resolve([before, event, signal.aborted, error]);
    };
    const limits = { handshakeTimeout: 600_000 };
    const { port, server, logger } = await start(contract, { websocket }, { limits });
    const client = await RawClient.send(port, handshake("/"));
    await called.promise;
    expect(server.connections.websocket).toBe(1);
    client.socket.destroy();
    expect(await outcome.promise).toEqual([
      false,
      { type: "websocket.disconnect", code: 1006, reason: "" },
      true,
      expect.any(ClientDisconnected),
    ]);
    // The application has told its last before it returns.
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.connections.websocket).toBe(0);
    expect(logger.errors).toEqual([]);
  });
}
