import { channelLayerContract } from "@sluice/testing/contract";
import { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { describeOwnRedis, describeRedis, freshPrefix, OwnRedisCluster, redisUrl } from "../../../test/redis.js";
import { RedisChannelLayer, type RedisChannelLayerOptions } from "./redis-channel-layer.js";

const withoutClock = "Redis has a clock of its own";

function contract(name: string, address: () => RedisChannelLayerOptions): void {
  channelLayerContract({
    name,
    withoutClock,
    // The layer takes the system's clock: the other one would never let it give up.
    open: async ({ clock, ...settings }) => {
      const prefix = freshPrefix();
      const peer = async () => {
        const layer = new RedisChannelLayer({ prefix, timeout: 10_000, ...address(), ...settings });
        await layer.ready();
        return layer;
      };
      return { layer: await peer(), peer };
    },
  });
}

describeRedis(() => {
  contract("RedisChannelLayer", () => ({ url: redisUrl() }));

  contract("RedisChannelLayer that encrypts", () => ({
    url: redisUrl(),
    encryptionKeys: ["a secret of thirty-two characters", new Uint8Array(32)],
  }));

  const client = new Redis(redisUrl(), { lazyConnect: true, keyPrefix: "another:", stringNumbers: true, protocol: 2 });
  contract("RedisChannelLayer with the settings of a client", () => ({ client }));
});

describeOwnRedis("Redis Cluster", () => {
  let cluster: OwnRedisCluster;
  beforeAll(async () => {
    cluster = await OwnRedisCluster.start(2);
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  contract("RedisChannelLayer", () => ({ cluster: cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })) }));
});
