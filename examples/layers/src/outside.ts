import { asApp, type ChannelLayer, fetchApp, JsonWebsocketConsumer, type LayerEvent } from "@sluice/core";
import { RedisChannelLayer, type RedisChannelLayerOptions } from "@sluice/layer-redis";

type Events = { "news.item": { title: string } };

class News extends JsonWebsocketConsumer<{}, Events> {
  static readonly handlers = ["news.item"] as const;
  override readonly groups = ["news"];

  newsItem({ title }: Events["news.item"]) {
    return this.sendJson({ title });
  }
}

export const createNews = (layer: ChannelLayer) => asApp(News, { layer });

/** An HTTP handler, with the layer that its process has. */
export const createApi = (layer: ChannelLayer) =>
  fetchApp(async (request) => {
    const title = await request.text();
    await layer.groupSend("news", { type: "news.item", title } satisfies LayerEvent<Events>);
    return new Response(null, { status: 202 });
  });

/** A script or a cron job, with a layer of its own. */
export async function announce(title: string, options: RedisChannelLayerOptions) {
  const layer = new RedisChannelLayer(options);
  try {
    await layer.groupSend("news", { type: "news.item", title } satisfies LayerEvent<Events>);
  } finally {
    await layer.close();
  }
}
