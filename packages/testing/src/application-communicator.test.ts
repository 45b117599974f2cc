import { type App, ClientDisconnected } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { ApplicationCommunicator } from "./application-communicator.js";
import { httpScope, webSocketScope } from "./scope.js";

const echo: App<"websocket"> = (_scope, receive, send) =>
  receive.pipe((event) => {
    if (event.type === "websocket.connect") return send({ type: "websocket.accept" });
    if (event.type === "websocket.receive") return send({ type: "websocket.send", text: event.text ?? "" });
    return undefined;
  });

describe("ApplicationCommunicator", () => {
  it("hands events in and takes events out, with nothing in between", async () => {
    const communicator = new ApplicationCommunicator(echo, webSocketScope());
    communicator.sendInput({ type: "websocket.connect" });
    expect(await communicator.receiveOutput()).toEqual({ type: "websocket.accept" });
    communicator.sendInput({ type: "websocket.receive", text: "a" });
    expect(await communicator.receiveOutput()).toEqual({ type: "websocket.send", text: "a" });
    expect(await communicator.receiveNothing(0)).toBe(true);
    communicator.sendInput({ type: "websocket.disconnect", code: 1000, reason: "" });
    await communicator.wait();
  });

  it("says that the application has returned, or what it failed with", async () => {
    const done = new ApplicationCommunicator<"websocket">(() => {}, webSocketScope());
    await expect(done.receiveOutput()).rejects.toThrow(
      "expected an event from the application, but the application has returned",
    );
    const failed = new ApplicationCommunicator<"websocket">(() => Promise.reject(new Error("boom")), webSocketScope());
    await expect(failed.receiveOutput()).rejects.toMatchObject({
      message: "expected an event from the application, but the application failed: Error: boom",
      cause: new Error("boom"),
    });
    await expect(failed.wait()).rejects.toThrow("boom");
    await failed[Symbol.asyncDispose]();
  });

  it("says what it waited for", async () => {
    const options = { timeout: 10 };
    const silent = new ApplicationCommunicator<"websocket">(
      (_scope, receive) => receive.pipe(() => {}),
      webSocketScope(),
      options,
    );
    await expect(silent.receiveOutput()).rejects.toThrow(
      "expected an event from the application, got nothing within 10 ms; the application is waiting in receive()",
    );
    await expect(silent.wait()).rejects.toThrow("expected the application to return within 10 ms");
    // An application may wait for its events as long as it likes.
    silent.sendInput({ type: "websocket.disconnect", code: 1000, reason: "" });
    await silent.wait();
  });

  it("ends at the end of the block, and tells of a failure that nobody has been told of", async () => {
    let thrown: unknown;
    {
      await using _waiting = new ApplicationCommunicator<"http">(async (_scope, receive) => {
        await receive().catch((error: unknown) => {
          thrown = error;
          throw error;
        });
      }, httpScope());
    }
    expect(thrown).toBeInstanceOf(ClientDisconnected);
    const failed = new ApplicationCommunicator<"http">(() => Promise.reject(new Error("boom")), httpScope());
    await expect(failed[Symbol.asyncDispose]()).rejects.toThrow("boom");
  });
});
