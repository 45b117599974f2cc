import { type ChannelLayer, InMemoryChannelLayer, LayerUnavailable, type Logger } from "@sluice/core";
import { PostgresChannelLayer } from "@sluice/layer-postgres";
import { RedisChannelLayer } from "@sluice/layer-redis";
import type { LayerChoice } from "../settings/layer.js";

/** Opens the layer, and waits until it can be reached. Rejects with an error whose message is for the operator. */
export async function openLayer(choice: LayerChoice, logger: Logger): Promise<ChannelLayer> {
  if (choice.name === "memory") return new InMemoryChannelLayer();
  const layer =
    choice.name === "redis"
      ? new RedisChannelLayer({ url: choice.url, encryptionKeys: choice.encryptionKeys, logger })
      : new PostgresChannelLayer({ url: choice.url, logger });
  try {
    await layer.ready();
    return layer;
  } catch (error) {
    await layer.close();
    if (!(error instanceof LayerUnavailable)) throw error;
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    throw new LayerUnavailable(`the channel layer on ${choice.name} cannot be reached: ${why}`, { cause: error });
  }
}
