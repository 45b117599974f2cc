import type { App } from "@sluice/core";
import { describe, expect, it } from "vitest";
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
    await expect(client.receiveFrom()).rejects.toThrow("expected the connection to be open, but it has ended");
  });

  it("fails with the application's own error as the cause", async () => {
    const client = new WebsocketCommunicator(app, "/");
    await client.connect();
    client.sendTo("fail");
    await expect(client.receiveFrom()).rejects.toMatchObject({
      message: 'expected a message, got close 1011 "internal error"',
      cause: new Error("boom"),
    });
  });

  it("says what it expected and what came", async () => {
    const client = new WebsocketCommunicator(app, "/", { timeout: 10 });
    expect(() => client.sendTo("early")).toThrow("expected connect() to have been called, and not refused");
    await client.connect();
    client.sendTo("text");
    await expect(client.receiveClose()).rejects.toThrow("expected a close frame, got message");
    await expect(client.receiveFrom()).rejects.toThrow("expected a message, got nothing within 10 ms");
    client.sendTo(new Uint8Array([1, 2]));
    await expect(client.receiveJsonFrom()).rejects.toThrow("expected a text message, got 2 bytes of binary");
  });

  it("notices an application that does not return", async () => {
    const stuck: App<"websocket"> = async (_scope, _receive, send) => {
      await send({ type: "websocket.accept" });
      await new Promise(() => {});
    };
    const client = new WebsocketCommunicator(stuck, "/", { timeout: 10 });
    await client.connect();
    await expect(client.disconnect()).rejects.toThrow("expected the application to return within 10 ms");
  });
});
