import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { describe, inject } from "vitest";
import { freePort, RedisProcess } from "./redis-process.js";

/**
 * A group of tests that need Redis. Where the run has none, they are shown as skipped, with the reason in the group's name.
 */
export function describeRedis(suite: () => void): void {
  const server = inject("redis");
  if ("url" in server) describe("Redis", suite);
  else describe.skip(`Redis (skipped: ${server.missing})`, suite);
}

/** A group of tests that start servers of their own. */
export function describeOwnRedis(name: string, suite: () => void): void {
  const server = inject("redis");
  const reason = "missing" in server ? server.missing : server.noOwn;
  if (reason === undefined) describe(name, suite);
  else describe.skip(`${name} (skipped: ${reason})`, suite);
}

/** The URL of the run's Redis. */
export function redisUrl(): string {
  return theServer().url;
}

/** A prefix for a layer that no other test has. What lies below it is deleted when the run ends. */
export function freshPrefix(): string {
  return `${theServer().prefix}:${randomBytes(6).toString("hex")}`;
}

function theServer(): { readonly url: string; readonly prefix: string } {
  const server = inject("redis");
  if ("missing" in server) throw new Error(`this run has no Redis: ${server.missing}`);
  return server;
}

/** A Redis of a test's own, which it may treat badly. To be used with `await using`, or stopped. */
export class OwnRedis {
  readonly port: number;
  readonly #settings: readonly string[];
  #process: RedisProcess | undefined;

  private constructor(process: RedisProcess, settings: readonly string[]) {
    this.#process = process;
    this.#settings = settings;
    this.port = process.port;
  }

  /** `settings` as on the command line of redis-server. */
  static async start(settings: readonly string[] = []): Promise<OwnRedis> {
    return new OwnRedis(await RedisProcess.start(settings), settings);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** By SIGKILL: it says goodbye to nobody. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  /** Starts it again, on the same port. It has forgotten everything. */
  async startAgain(): Promise<void> {
    this.#process ??= await RedisProcess.start(this.#settings, this.port);
  }

  /** Keeps its connections and accepts new ones, and answers nobody. */
  freeze(): void {
    this.#process?.signal("SIGSTOP");
  }

  thaw(): void {
    this.#process?.signal("SIGCONT");
  }

  /** A connection to look inside with, to be closed. */
  connect(): Redis {
    return new Redis(this.url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** A Redis Cluster without replicas. */
export class OwnRedisCluster {
  readonly nodes: readonly OwnRedis[];

  private constructor(nodes: readonly OwnRedis[]) {
    this.nodes = nodes;
  }

  static async start(size: number): Promise<OwnRedisCluster> {
    const nodes = await Promise.all(Array.from({ length: size }, () => startNode()));
    const connections = nodes.map((node) => node.connect());
    try {
      const share = 16_384 / size;
      for (const [index, redis] of connections.entries()) {
        const [first, last] = [Math.ceil(index * share), Math.ceil((index + 1) * share) - 1];
        await redis.call("CLUSTER", "ADDSLOTSRANGE", first, last);
        // So that no two of them have the same epoch, which takes them seconds to settle.
        await redis.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
      }
      for (const node of nodes.slice(1)) {
        await connections[0]?.call("CLUSTER", "MEET", "127.0.0.1", node.port, node.busPort);
      }
      await Promise.all(connections.map((redis) => isWhole(redis, size)));
    } finally {
      for (const redis of connections) redis.disconnect();
    }
    return new OwnRedisCluster(nodes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }
}

interface ClusterNode extends OwnRedis {
  readonly busPort: number;
}

async function startNode(): Promise<ClusterNode> {
  const busPort = await freePort();
  const settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", String(busPort)];
  return Object.assign(await OwnRedis.start(settings), { busPort });
}

/** Asks until the node knows all others and who has which slots: it tells of it to nobody. */
async function isWhole(redis: Redis, size: number): Promise<void> {
  for (;;) {
    const info = String(await redis.call("CLUSTER", "INFO"));
    const slots = (await redis.call("CLUSTER", "SLOTS")) as unknown[];
    if (info.includes("cluster_state:ok") && slots.length === size) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
