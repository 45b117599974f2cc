export { EncryptedBroker, type EncryptedBrokerOptions } from "./encrypted-broker.js";
export { RedisChannelLayer, type RedisChannelLayerOptions } from "./redis-channel-layer.js";
export type { RedisClient } from "./redis-source.js";
