import { ApplicationCommunicator } from "@sluice/testing";
import { describe, expect, test } from "vitest";
import { KeptLog, settled } from "../../test/fake-connections.js";
import { ConfigurationError } from "../errors.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import type { LayerMessage } from "../ports/channel-layer.js";
import { runWorker } from "../workers/run-worker.js";
import { asApp } from "./as-app.js";
import { WorkerConsumer } from "./worker-consumer.js";

interface ThumbnailEvents {
  "thumbnail.make": { file: string; answerTo?: string };
  "thumbnail.fail": {};
}

class Thumbnails extends WorkerConsumer<{}, ThumbnailEvents> {
  static readonly handlers = ["thumbnail.make", "thumbnail.fail"] as const;
  static instances: Thumbnails[] = [];
  readonly made: string[] = [];
  readonly from = this.scope.channel;

  async thumbnailMake({ file, answerTo }: { file: string; answerTo?: string }) {
    Thumbnails.instances.push(this);
    await settled();
    this.made.push(file);
    if (answerTo !== undefined) await this.channelLayer.send(answerTo, { type: "thumbnail.made", file });
  }
  thumbnailFail() {
    throw new Error("no picture");
  }
  /** Listed by nobody. */
  thumbnailSecret(): never {
    throw new Error("called without being listed");
  }
}

function run(app: ReturnType<typeof asApp<typeof Thumbnails>>, message: LayerMessage): Promise<void> {
  const communicator = new ApplicationCommunicator(app, { type: "channel", channel: "thumbnails" });
  communicator.sendInput({ type: "channel.receive", message });
  return communicator.wait();
}

describe("a consumer of a worker", () => {
  test("is made once per message, and is done when its method is", async () => {
    Thumbnails.instances = [];
    const app = asApp(Thumbnails, { layer: new InMemoryChannelLayer() });
    for (const file of ["a.png", "b.png"]) await run(app, { type: "thumbnail.make", file });
    expect(Thumbnails.instances.map(({ made, from }) => ({ made, from }))).toEqual([
      { made: ["a.png"], from: "thumbnails" },
      { made: ["b.png"], from: "thumbnails" },
    ]);
  });

  test("fails with what its method throws", async () => {
    const app = asApp(Thumbnails, { layer: new InMemoryChannelLayer() });
    await expect(run(app, { type: "thumbnail.fail" })).rejects.toThrow("no picture");
  });

  test.each(["thumbnail.secret", "constructor", "scope"])("has no handler for %s", async (type) => {
    const logger = new KeptLog();
    await run(asApp(Thumbnails, { layer: new InMemoryChannelLayer(), logger }), { type });
    expect(logger.warnings).toEqual([{ consumer: "Thumbnails", type, unhandled: 1 }]);
  });

  test("answers over the layer", async () => {
    const layer = new InMemoryChannelLayer();
    const worker = await runWorker(asApp(Thumbnails, { layer }), { layer, channels: ["thumbnails"] });
    const mine = await layer.open();
    await layer.send("thumbnails", { type: "thumbnail.make", file: "a.png", answerTo: mine.name });
    expect(await mine.receive()).toEqual({ type: "thumbnail.made", file: "a.png" });
    await worker.close();
  });

  test("has no layer if it was given none", async () => {
    class Alone extends WorkerConsumer {
      get layerOfMine(): unknown {
        return this.channelLayer;
      }
    }
    const alone = new Alone({ scope: { type: "channel", channel: "work" }, layer: undefined });
    expect(() => alone.layerOfMine).toThrow(new ConfigurationError("expected asApp(Alone, { layer })"));
  });
});
