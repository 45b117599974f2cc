import { asApp, type ChannelLayer, ChannelNameRouter, type Logger, runWorker, WorkerConsumer } from "@sluice/core";

type Events = { "thumbnail.make": { file: string; replyTo: string } };

class Thumbnails extends WorkerConsumer<{}, Events> {
  static readonly handlers = ["thumbnail.make"] as const;

  async thumbnailMake({ file, replyTo }: Events["thumbnail.make"]) {
    const thumbnail = file.replace(/\.\w+$/, ".thumbnail.webp"); // the work
    await this.channelLayer.send(replyTo, { type: "thumbnail.made", thumbnail });
  }
}

/** The process that works: resolves with a worker, which `close()` ends when it has finished what it has begun. */
export function startWorker(layer: ChannelLayer, logger: Logger) {
  const application = ChannelNameRouter({ thumbnails: asApp(Thumbnails, { layer, logger }) });
  return runWorker(application, { layer, channels: ["thumbnails"], concurrency: 4, logger });
}
