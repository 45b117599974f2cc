export { PostgresChannelLayer, type PostgresChannelLayerOptions } from "./postgres-channel-layer.js";
export type { GroupsInTransaction, Transaction } from "./transaction.js";
