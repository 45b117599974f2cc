import type { App } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { ApplicationCommunicator } from "./application-communicator.js";
import { webSocketScope } from "./scope.js";

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
    await expect(done.receiveOutput()).rejects.toThrow("expected an event, but the application has returned");
    const failed = new ApplicationCommunicator<"websocket">(() => Promise.reject(new Error("boom")), webSocketScope());
    await expect(failed.receiveOutput()).rejects.toMatchObject({ cause: new Error("boom") });
    await expect(failed.wait()).rejects.toThrow("boom");
  });

  it("says what it waited for", async () => {
    const silent = new ApplicationCommunicator<"websocket">(
      (_scope, receive) => receive.pipe(() => {}),
      webSocketScope(),
      {
        timeout: 10,
      },
    );
    await expect(silent.receiveOutput()).rejects.toThrow(
      "expected the application to send an event, got nothing within 10 ms",
    );
    // An application may wait for its events as long as it likes.
    silent.sendInput({ type: "websocket.disconnect", code: 1000, reason: "" });
    await silent.wait();
  });
});
