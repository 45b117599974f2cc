import { type Broker, BrokeredChannelLayer, type BrokeredChannelLayerOptions, ConfigurationError } from "@sluice/core";
import { EncryptedBroker } from "./encrypted-broker.js";
import { RedisBroker } from "./redis-broker.js";
import { type RedisAddress, redisSource } from "./redis-source.js";

export interface RedisChannelLayerOptions extends BrokeredChannelLayerOptions, RedisAddress {
  /**
   * Begins the names of everything the layer has in Redis: `sluice` if left out. Layers with the same prefix on one server
   * are one layer. Another database number does not part them: Redis has one set of channels for all of its databases.
   */
  readonly prefix?: string;
  /**
   * Secrets of at least 32 bytes to encrypt messages with, by AES-256-GCM: the first encrypts, all of them decrypt. None if
   * left out. Names of groups and channels stay readable.
   */
  readonly encryptionKeys?: ReadonlyArray<string | Uint8Array>;
}

/** No colon at the end, no `*` and no `{`: letters that mean themselves in patterns and hash tags. */
const prefixPattern = /^[A-Za-z0-9._-]+(?::[A-Za-z0-9._-]+)*$/;

/**
 * A channel layer on Redis 5 or later, or on a Redis Cluster 7.0 or later. Groups are its publish and subscribe, named
 * channels are lists. Messages are delivered at most once: nothing is sent again after a failure.
 *
 * It has two connections, and begins to connect when it is made; `ready()` says when it has. While Redis cannot be reached,
 * what needs it rejects at once with `LayerUnavailable`. It calls Redis again within half a second each time, also when Redis
 * accepts connections and does not answer; then subscriptions are restored, and channels with `gaps` are told.
 *
 * In a Cluster one prefix lies in one hash slot, hence on one node: the order of messages needs it. The load is shared by
 * layers of different prefixes.
 *
 * @example
 * const layer = new RedisChannelLayer({ url: "redis://user:password@redis.internal:6379", logger });
 * await layer.ready();
 * await layer.groupSend("news", { type: "news.item", title: "It works" });
 * await layer.close();
 *
 * @example
 * new RedisChannelLayer({ url: "rediss://redis.internal", encryptionKeys: [newKey, oldKey] });
 * new RedisChannelLayer({ redis: { sentinels: [{ host: "sentinel-1", port: 26379 }], name: "main" } });
 * new RedisChannelLayer({ cluster: [{ host: "node-1", port: 6379 }], redis: { password } });
 * new RedisChannelLayer({ client: redis }); // takes its settings, makes connections of its own
 */
export class RedisChannelLayer extends BrokeredChannelLayer {
  /** Throws `ConfigurationError` for an address, a prefix, a key or a number that cannot be used. */
  constructor(options: RedisChannelLayerOptions = {}) {
    super(brokerFor(options), options);
  }
}

function brokerFor(options: RedisChannelLayerOptions): Broker {
  const { prefix = "sluice", encryptionKeys = [], timeout = 2_000, logger } = options;
  if (!prefixPattern.test(prefix)) {
    throw new ConfigurationError(
      `expected a prefix of ASCII letters, digits, "-", "_", "." and ":" inside, got ${JSON.stringify(prefix)}`,
    );
  }
  const broker = new RedisBroker({ source: redisSource(options), prefix, timeout });
  if (encryptionKeys.length === 0) return broker;
  return new EncryptedBroker(broker, { keys: encryptionKeys, ...(logger === undefined ? {} : { logger }) });
}
