import { ConfigurationError } from "@sluice/core";
import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { Connection } from "./connection.js";

/** A client of ioredis, a `Redis` or a `Cluster`. It is only asked for copies of itself, and never used or closed. */
export interface RedisClient {
  readonly isCluster: boolean;
  duplicate(...overrides: never[]): unknown;
}

/** Where Redis is. One of `url`, `cluster` and `client`. */
export interface RedisAddress {
  /**
   * Such as `redis://user:password@host:6379`, `rediss://...` for TLS: `redis://127.0.0.1:6379` if left out. Special
   * characters in a password are percent-encoded.
   */
  readonly url?: string;
  /** Nodes of a Redis Cluster (7.0 or later), some of them: the others are found through them. */
  readonly cluster?: readonly ClusterNode[];
  /** A client whose settings are taken over, but for those that decide about retries and queues. */
  readonly client?: RedisClient;
  /** More for ioredis: `sentinels` and `name`, `tls`, `password`; with `cluster`, for each of its nodes. */
  readonly redis?: Omit<RedisOptions, "replyMapping">;
}

/** Finds the server to connect to. */
export interface RedisSource {
  readonly isCluster: boolean;
  /** A client of the server that has `key`, not connected. Rejects when it cannot be found, or `signal` is aborted. */
  find(key: string, signal: AbortSignal): Promise<Redis>;
}

/**
 * What makes a client give up at once. By itself ioredis queues while it is not connected, and sends what had no answer once
 * more when it is again: a message might arrive twice, or long after its `groupSend` has rejected.
 */
export const once: Omit<RedisOptions, "replyMapping"> & { readonly replyMapping: "legacy" } = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: null,
  reconnectOnError: null,
  sentinelRetryStrategy: () => null,
  // Names get a prefix of the layer's own.
  keyPrefix: "",
  monitor: false,
  readOnly: false,
  enableAutoPipelining: false,
  // Replies have the types that are expected here.
  stringNumbers: false,
  replyMapping: "legacy",
};

/** Throws `ConfigurationError` for what is no address; what it says shows nothing of a URL, which may hold a password. */
export function redisSource({ url, cluster, client, redis = {} }: RedisAddress): RedisSource {
  if ([url, cluster, client].filter((address) => address !== undefined).length > 1) {
    throw new ConfigurationError("expected one of url, cluster and client, got several");
  }
  if (client !== undefined) return client.isCluster ? clusterSource(client as Cluster) : serverSource(client as Redis);
  if (cluster !== undefined) {
    if (cluster.length === 0) throw new ConfigurationError("expected a node of the cluster, got none");
    return clusterSource(new Cluster([...cluster], { lazyConnect: true, redisOptions: redis }));
  }
  const options = { ...redis, lazyConnect: true };
  if (url !== undefined) return serverSource(new Redis(checkedUrl(url), options));
  return serverSource(new Redis({ host: "127.0.0.1", ...options }));
}

function serverSource(server: Redis): RedisSource {
  return { isCluster: false, find: async () => server };
}

/** One client per search, so that nothing of an old view of the cluster is left. */
function clusterSource(template: Cluster): RedisSource {
  const { enableOfflineQueue, retryStrategy, readOnly, ...redisOptions } = {
    ...template.options.redisOptions,
    ...once,
  };
  const options = {
    lazyConnect: true,
    clusterRetryStrategy: () => null,
    clusterNodeRetryStrategy: null,
    enableOfflineQueue: false,
    scaleReads: "master",
    maxRedirections: 0,
    shardedSubscribers: false,
    redisOptions,
  } satisfies ClusterOptions;
  return {
    isCluster: true,
    async find(key, signal) {
      const cluster = template.duplicate([], options);
      try {
        return await masterOf(cluster, key, signal);
      } finally {
        cluster.disconnect();
      }
    },
  };
}

async function masterOf(cluster: Cluster, key: string, signal: AbortSignal): Promise<Redis> {
  let node: Redis | undefined;
  cluster.on("+node", (added: Redis) => {
    node ??= added;
  });
  cluster.on("error", () => {});
  const ended = new Promise<never>((_, reject) => {
    const end = (): void => reject(new Error("no node of the cluster can be reached"));
    cluster.once("end", end);
    signal.addEventListener("abort", end);
  });
  const found = async (): Promise<Redis> => {
    await cluster.connect();
    const slot = await cluster.cluster("KEYSLOT", key);
    const [owner] = cluster.slots[slot] ?? [];
    const master = cluster.nodes("master").find(({ options: { host, port } }) => `${host}:${port}` === owner);
    if (master === undefined) throw new Error(`no node of the cluster has the slot ${slot}`);
    return master;
  };
  try {
    return await Promise.race([found(), ended]);
  } catch (error) {
    if (node !== undefined && !signal.aborted) await tryNode(node, signal);
    throw error;
  }
}

/** A cluster's client says that connections were closed, and not why: one of its nodes, asked directly, does. */
async function tryNode(node: Redis, signal: AbortSignal): Promise<void> {
  const connection = new Connection(node.duplicate(once), () => {});
  const end = (): void => connection.destroy();
  signal.addEventListener("abort", end);
  try {
    await connection.open();
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

function checkedUrl(url: string): string {
  if (/^rediss?:\/\/./.test(url) && URL.canParse(url)) return url;
  throw new ConfigurationError(
    "expected a URL such as redis://user:password@host:6379, with special characters percent-encoded, got something else",
  );
}
