import type { BrokeredChannelLayer, BrokeredChannelLayerOptions } from "@sluice/core";

interface LayerOptions extends BrokeredChannelLayerOptions {
  readonly url: string;
  /** Keeps what a run does on a server apart from everything else there. */
  readonly prefix: string;
}

type MakeLayer = (options: LayerOptions) => BrokeredChannelLayer;

/** Loaded when they are asked for, so that one can be checked without the other. */
export const layers = {
  redis: async (): Promise<MakeLayer> => {
    const { RedisChannelLayer } = await import("@sluice/layer-redis");
    return (options) => new RedisChannelLayer(options);
  },
  postgres: async (): Promise<MakeLayer> => {
    const { PostgresChannelLayer } = await import("@sluice/layer-postgres");
    return (options) => new PostgresChannelLayer(options);
  },
} as const;

export type LayerName = keyof typeof layers;

export const layerNames = Object.keys(layers) as readonly LayerName[];

export function isLayerName(name: string): name is LayerName {
  return Object.hasOwn(layers, name);
}
