import { silentLogger } from "@sluice/core";
import { RecordingLogger, WebsocketCommunicator } from "@sluice/testing";
import { expect, it, onTestFinished } from "vitest";
import { createUpload } from "../src/upload.js";
import { startWorker } from "../src/worker.js";
import { describeLayers, patience } from "./describe-layers.js";

describeLayers((join) => {
  it("works on what waits and answers who has asked, and the consumer says when there is too much", async () => {
    const [server, elsewhere] = [await join({ channelCapacity: { thumbnails: 2 } }), await join()];
    await using client = new WebsocketCommunicator(createUpload(server), "/", patience);
    await client.connect();
    for (const file of ["ada.png", "bob.png", "cyd.png"]) client.sendJsonTo(file);
    expect(await client.receiveJsonFrom()).toEqual({ busy: "cyd.png" });

    const worker = await startWorker(elsewhere, silentLogger);
    onTestFinished(() => worker.close());
    const made = [await client.receiveJsonFrom(), await client.receiveJsonFrom()];
    expect(made).toHaveLength(2);
    expect(made).toContainEqual({ thumbnail: "ada.thumbnail.webp" });
    expect(made).toContainEqual({ thumbnail: "bob.thumbnail.webp" });
  });

  it("goes on after a message that it fails on", async () => {
    const [server, elsewhere] = [await join(), await join()];
    const logger = new RecordingLogger();
    const worker = await startWorker(elsewhere, logger);
    onTestFinished(() => worker.close());
    await using client = new WebsocketCommunicator(createUpload(server), "/", patience);
    await client.connect();
    await server.send("thumbnails", { type: "thumbnail.make" });
    client.sendJsonTo("ada.png");
    expect(await client.receiveJsonFrom()).toEqual({ thumbnail: "ada.thumbnail.webp" });
    await expect.poll(() => logger.errors, patience).toEqual([expect.any(TypeError)]);
  });
});
