import { type BrokeredChannelLayerOptions, type ChannelLayer, InMemoryChannelLayer } from "@sluice/core";
import { PostgresChannelLayer } from "@sluice/layer-postgres";
import { RedisChannelLayer } from "@sluice/layer-redis";

type Options = BrokeredChannelLayerOptions & { readonly prefix?: string };

/** `redis://...`, `postgres://...`, or no URL for a single process. */
export async function openLayer(url: string | undefined, options: Options = {}): Promise<ChannelLayer> {
  if (url === undefined) return new InMemoryChannelLayer(options);
  const layer = url.startsWith("postgres")
    ? new PostgresChannelLayer({ url, ...options })
    : new RedisChannelLayer({ url, ...options });
  try {
    await layer.ready();
    return layer;
  } catch (error) {
    await layer.close(); // or it goes on trying
    throw error;
  }
}
