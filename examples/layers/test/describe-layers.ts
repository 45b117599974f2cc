import type { ChannelLayer } from "@sluice/core";
import { afterEach, beforeEach } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { describeRedis, freshPrefix, redisUrl } from "../../../test/redis.js";
import { openLayer } from "../src/open-layer.js";

/** Opens the layer of one more process, until the end of the test. */
export type Join = (options?: Parameters<typeof openLayer>[1]) => Promise<ChannelLayer>;

/** Milliseconds that a busy machine may take for what an idle one does at once. */
export const patience = { timeout: 15_000 };

/** The same tests on Redis and on PostgreSQL. */
export function describeLayers(suite: (join: Join) => void): void {
  describeRedis(() => withPlace(suite, async () => ({ url: redisUrl(), prefix: freshPrefix() })));
  describePostgres(() => withPlace(suite, async () => ({ url: await freshDatabase() })));
}

interface Place {
  readonly url: string;
  readonly prefix?: string;
}

function withPlace(suite: (join: Join) => void, find: () => Promise<Place>): void {
  const layers: ChannelLayer[] = [];
  let place: Place | undefined;
  beforeEach(async () => {
    place = await find();
  });
  afterEach(() => Promise.all(layers.splice(0).map((layer) => layer.close())));
  suite(async (options = {}) => {
    const { url, ...more } = place as Place;
    const layer = await openLayer(url, { ...more, ...options });
    layers.push(layer);
    return layer;
  });
}
