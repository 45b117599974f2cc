import { type App, DenyConnection } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { FakeClock } from "./fake-clock.js";
import { WebsocketCommunicator } from "./websocket-communicator.js";

const app: App<"websocket"> = (scope, receive, send) =>
  receive.pipe((event) => {
    switch (event.type) {
      case "websocket.connect":
        return scope.path === "/closed/"
          ? send({ type: "websocket.close" })
          : send({ type: "websocket.accept", headers: [["x-query", scope.queryString]] });
      case "websocket.receive":
        if (event.text === "fail") throw new Error("boom");
        if (event.text === "close") return send({ type: "websocket.close", code: 4001, reason: "asked" });
        return send(
          event.text === undefined
            ? { type: "websocket.send", bytes: event.bytes }
            : { type: "websocket.send", text: event.text },
        );
      default:
        return undefined;
    }
  });

describe("WebsocketCommunicator", () => {
  it("connects, exchanges text, bytes and JSON, and leaves", async () => {
    const client = new WebsocketCommunicator(app, "/?a=b?c");
    expect(await client.connect()).toEqual({
      connected: true,
      subprotocol: undefined,
      headers: [["x-query", "a=b?c"]],
    });
    client.sendTo("text");
    expect(await client.receiveFrom()).toBe("text");
    client.sendTo(new Uint8Array([1]));
    expect(await client.receiveFrom()).toEqual(new Uint8Array([1]));
    client.sendJsonTo({ a: 1 });
    expect(await client.receiveJsonFrom()).toEqual({ a: 1 });
    expect(await client.receiveNothing(0)).toBe(true);
    await client.disconnect();
  });

  it("tells how a handshake was refused", async () => {
    expect(await new WebsocketCommunicator(app, "/closed/").connect()).toMatchObject({ connected: false, status: 403 });
  });

  it("takes a close frame for one, and for no message", async () => {
    const client = new WebsocketCommunicator(app, "/");
    await client.connect();
    client.sendTo("close");
    expect(await client.receiveClose()).toEqual({ code: 4001, reason: "asked" });
    await expect(client.receiveFrom()).rejects.toThrow(
      'expected a message, but the connection has ended with close 4001 "asked"',
    );
    expect(() => client.sendTo("late")).toThrow("expected an open connection to send on, but it has ended");
  });

  it("says what it expected and what came", async () => {
    const client = new WebsocketCommunicator(app, "/", { timeout: 10 });
    expect(() => client.sendTo("early")).toThrow("expected connect() to have been called before the first message");
    await expect(client.receiveFrom()).rejects.toThrow("expected connect() to have been called");
    await client.connect();
    await expect(client.connect()).rejects.toThrow("expected one connect() per client");
    client.sendTo("text");
    await expect(client.receiveClose()).rejects.toThrow('expected a close frame, got the message "text"');
    client.sendTo(new Uint8Array([1, 2]));
    await expect(client.receiveJsonFrom()).rejects.toThrow("expected a text message, got 2 bytes of binary");
    client.sendTo("{");
    await expect(client.receiveJsonFrom()).rejects.toThrow('expected JSON, got "{"');
  });

  it("hands the application the close code it leaves with, where a client may send it", async () => {
    const ends: number[] = [];
    const client = new WebsocketCommunicator(async (_scope, receive, send) => {
      await send({ type: "websocket.accept" });
      await receive.pipe((event) => void (event.type === "websocket.disconnect" && ends.push(event.code)));
    }, "/");
    await client.connect();
    await expect(client.disconnect(1005)).rejects.toBeInstanceOf(TypeError);
    await expect(client.disconnect(4000, "x".repeat(124))).rejects.toThrow("close reason of at most 123 bytes");
    await client.disconnect(4000, "x".repeat(123));
    expect(ends).toEqual([4000]);
  });

  it("leaves at the end of the block", async () => {
    const ends: unknown[] = [];
    {
      await using client = new WebsocketCommunicator(async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe((event) => void ends.push(event.type));
      }, "/");
      await client.connect();
    }
    expect(ends).toEqual(["websocket.connect", "websocket.disconnect"]);
  });

  it("needs no scope for an application that needs nothing, and hands on what it is given", async () => {
    const greet: App<"websocket", { readonly user: { readonly name: string } }> = async (scope, receive, send) => {
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.send", text: `${scope.user.name} from ${scope.client?.host} at ${scope.path}` });
      await receive.pipe(() => {});
    };
    const scope = { user: { name: "Ada" }, client: { host: "10.0.0.1", port: 1 } };
    await using client = new WebsocketCommunicator(greet, "/a", { scope });
    await client.connect();
    expect(await client.receiveFrom()).toBe("Ada from 10.0.0.1 at /a");
  });
});

describe("an application that fails", () => {
  const failing = (where: string): App<"websocket"> => {
    return async (_scope, receive, send) => {
      await receive();
      if (where === "connect") throw new Error("boom");
      await send({ type: "websocket.accept" });
      const event = await receive();
      if (where === "receive" && event.type === "websocket.receive") throw new Error("boom");
      await receive.pipe(() => {});
      throw new Error("boom");
    };
  };
  const boom = { cause: new Error("boom") };

  it("fails connect() at once with its own error", async () => {
    const client = new WebsocketCommunicator(failing("connect"), "/", { timeout: 60_000 });
    await expect(client.connect()).rejects.toMatchObject({
      message: "expected the handshake to be accepted or refused, but the application failed: Error: boom",
      ...boom,
    });
    // Told once is enough.
    await client.disconnect();
  });

  it("fails receiveFrom() at once with its own error", async () => {
    const client = new WebsocketCommunicator(failing("receive"), "/", { timeout: 60_000 });
    await client.connect();
    const message = client.receiveFrom();
    client.sendTo("go");
    await expect(message).rejects.toMatchObject({
      message: 'expected a message, got close 1011 "internal error": the application failed: Error: boom',
      ...boom,
    });
    await client[Symbol.asyncDispose]();
  });

  it("fails disconnect(), wait() or the end of the block, if nobody has been told before", async () => {
    const left = new WebsocketCommunicator(failing("disconnect"), "/");
    await left.connect();
    await expect(left.disconnect()).rejects.toMatchObject(boom);
    const unseen = new WebsocketCommunicator(failing("receive"), "/");
    await unseen.connect();
    unseen.sendTo("go");
    expect(await unseen.receiveClose()).toMatchObject({ code: 1011 });
    await expect(unseen.wait()).rejects.toMatchObject(boom);
    await unseen[Symbol.asyncDispose]();
    const disposed = new WebsocketCommunicator(failing("disconnect"), "/");
    await disposed.connect();
    await expect(disposed[Symbol.asyncDispose]()).rejects.toMatchObject(boom);
  });

  it("is as a client sees it where the test expects errors", async () => {
    await using refused = new WebsocketCommunicator(failing("connect"), "/", { expectErrors: true });
    expect(await refused.connect()).toMatchObject({ connected: false, status: 500 });
    await using closed = new WebsocketCommunicator(failing("receive"), "/", { expectErrors: true });
    await closed.connect();
    closed.sendTo("go");
    expect(await closed.receiveClose()).toMatchObject({ code: 1011 });
    expect(closed.logger.errors).toEqual([new Error("boom")]);
  });

  it("may throw what is no error", async () => {
    const client = new WebsocketCommunicator(() => Promise.reject({ why: "boom" }), "/");
    await expect(client.connect()).rejects.toThrow("but the application failed: it threw { why: 'boom' }");
  });

  it("has not failed where it refuses, whatever the status", async () => {
    const busy: App<"websocket"> = () => Promise.reject(new DenyConnection({ status: 503 }));
    await using client = new WebsocketCommunicator(busy, "/");
    expect(await client.connect()).toMatchObject({ connected: false, status: 503 });
  });
});

describe("an application that is silent", () => {
  it.each<[string, App<"websocket">, string]>([
    [
      "waits",
      async (_scope, receive) => void (await receive().then(receive)),
      "is waiting in receive(); it has sent nothing",
    ],
    [
      "works",
      async (_scope, receive) => void (await receive().then(() => new Promise(() => {}))),
      'is still at work on "websocket.connect"',
    ],
    ["waits again", (_scope, receive) => receive.pipe(async () => {}), "is waiting in receive(); it has sent nothing"],
    ["has not begun", () => new Promise(() => {}), "has not called receive() yet"],
  ])("is told to be one that %s", async (_what, silent, facts) => {
    const client = new WebsocketCommunicator(silent, "/", { timeout: 10 });
    await expect(client.connect()).rejects.toThrow(
      `expected the handshake to be accepted or refused, got nothing within 10 ms; the application ${facts}`,
    );
  });

  it("is told to have sent what it has sent, and where the test waits", async () => {
    const client = new WebsocketCommunicator(app, "/");
    await client.connect();
    for (const text of ["a", "b"]) {
      client.sendTo(text);
      expect(await client.receiveFrom()).toBe(text);
    }
    const error = await client.receiveFrom(10).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      message:
        'expected a message, got nothing within 10 ms; the application is waiting in receive(); it has sent "websocket.accept", 2 of "websocket.send"',
      stack: expect.stringContaining("websocket-communicator.test.ts"),
    });
  });

  it("is told beside the last line of the log that is a warning or worse", async () => {
    const client = new WebsocketCommunicator(app, "/", { timeout: 10 });
    await client.connect();
    client.logger.info({}, "well");
    await expect(client.receiveFrom()).rejects.toThrow(/"websocket.accept"$/);
    client.logger.warn({ err: new Error("no database") }, "slow");
    client.logger.info({}, "well");
    await expect(client.receiveFrom()).rejects.toThrow('; the last line of the log is "slow" (no database)');
  });

  it("is noticed if it does not return, by real time", async () => {
    const stuck: App<"websocket"> = async (_scope, _receive, send) => {
      await send({ type: "websocket.accept" });
      await new Promise(() => {});
    };
    const disposed = new WebsocketCommunicator(stuck, "/", { timeout: 10 });
    await disposed.connect();
    await expect(disposed[Symbol.asyncDispose]()).rejects.toThrow("expected the application to return within 10 ms");
    const client = new WebsocketCommunicator(stuck, "/", { timeout: 10, clock: new FakeClock() });
    await client.connect();
    await expect(client.disconnect()).rejects.toThrow(
      'expected the application to return within 10 ms of the end of the connection; the application has not called receive() yet; it has sent "websocket.accept"',
    );
    // Told once is enough.
    await client[Symbol.asyncDispose]();
  });

  it("is told of once where a verb has run into it", async () => {
    const client = new WebsocketCommunicator(() => new Promise(() => {}), "/", { timeout: 10 });
    await expect(client.connect()).rejects.toThrow("got nothing within 10 ms");
    await client[Symbol.asyncDispose]();
  });
});
