import { asApp, ChannelFull, type ChannelLayer, JsonWebsocketConsumer } from "@sluice/core";

type Events = { "thumbnail.made": { thumbnail: string } };

class Upload extends JsonWebsocketConsumer<{}, Events> {
  static readonly handlers = ["thumbnail.made"] as const;

  override async receiveJson(file: unknown) {
    // Typed for the consumer's own events; the job is another's.
    const layer: Pick<ChannelLayer, "send"> = this.channelLayer;
    try {
      await layer.send("thumbnails", { type: "thumbnail.make", file: String(file), replyTo: this.channelName });
    } catch (error) {
      if (!(error instanceof ChannelFull)) throw error;
      await this.sendJson({ busy: file });
    }
  }

  thumbnailMade({ thumbnail }: Events["thumbnail.made"]) {
    return this.sendJson({ thumbnail });
  }
}

export const createUpload = (layer: ChannelLayer) => asApp(Upload, { layer });
