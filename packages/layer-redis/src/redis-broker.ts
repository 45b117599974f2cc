import { setTimeout as sleep } from "node:timers/promises";
import { type Broker, type BrokerListener, LayerUnavailable, type QueueLimits, reconnectPause } from "@sluice/core";
import type { Redis } from "ioredis";
import { Link } from "./link.js";
import { popScript, pushScript } from "./queue-scripts.js";
import type { RedisSource } from "./redis-source.js";

export interface RedisBrokerOptions {
  readonly source: RedisSource;
  /** Begins the names of all channels and keys. Nothing that has a meaning in patterns or hash tags. */
  readonly prefix: string;
  /** Milliseconds the server may take to answer, before its connections are cut. */
  readonly timeout: number;
}

/** Ten years: a number that Redis takes, for what is never to expire. */
const longestExpiry = 315_360_000_000;

/**
 * A broker on Redis: a topic is a channel, a queue a list.
 *
 * In a Cluster all of it has one hash tag and lies in one slot, on one node. So calls take effect in their order, as they do
 * on a single server and as the port demands, which nothing could promise between nodes. Its channels are sharded ones: no
 * other node hears of them.
 */
export class RedisBroker implements Broker {
  readonly #options: RedisBrokerOptions;
  /** Begins the names, with the hash tag where there is need of one. */
  readonly #base: string;
  readonly #closing = new AbortController();
  /** The last one made, whether it is open or not. */
  #current: Link | undefined;
  /** The one that is open. */
  #link: Link | undefined;
  /** Why there is no link. */
  #cause: Error | undefined;

  constructor(options: RedisBrokerOptions) {
    this.#options = options;
    this.#base = options.source.isCluster ? `{${options.prefix}}:` : `${options.prefix}:`;
  }

  connect(listener: BrokerListener): void {
    this.#keepConnected(listener).catch(() => {});
  }

  async subscribe(topic: string): Promise<void> {
    const { isCluster } = this.#options.source;
    const channel = this.#base + topic;
    await this.#ask((_, redis) => (isCluster ? redis.ssubscribe(channel) : redis.subscribe(channel)));
  }

  async unsubscribe(topic: string): Promise<void> {
    const { isCluster } = this.#options.source;
    const channel = this.#base + topic;
    await this.#ask((_, redis) => (isCluster ? redis.sunsubscribe(channel) : redis.unsubscribe(channel)));
  }

  async publish(topic: string, payload: string): Promise<boolean> {
    const { isCluster } = this.#options.source;
    const channel = this.#base + topic;
    const receivers = await this.#ask<unknown>((redis) =>
      isCluster ? redis.spublish(channel, payload) : redis.publish(channel, payload),
    );
    return Number(receivers) > 0;
  }

  async push(queue: string, payload: string, { capacity, expiry }: QueueLimits): Promise<boolean> {
    const lifetime = Math.min(Math.ceil(expiry), longestExpiry);
    const pushed = await this.#ask((redis) => redis.eval(pushScript, 1, this.#key(queue), payload, capacity, lifetime));
    return pushed === 1;
  }

  async pop(queue: string): Promise<string | undefined> {
    const payload = await this.#ask((redis) => redis.eval(popScript, 1, this.#key(queue)));
    return typeof payload === "string" ? payload : undefined;
  }

  async flush(): Promise<void> {
    const pattern = this.#key("*");
    let cursor = "0";
    do {
      const [next, keys] = await this.#ask((redis) => redis.scan(cursor, "MATCH", pattern, "COUNT", 1_000));
      if (keys.length > 0) await this.#ask((redis) => redis.unlink(keys));
      cursor = next;
    } while (cursor !== "0");
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#link = undefined;
    this.#cause = new Error("the layer is closed");
    await this.#current?.close();
  }

  #key(queue: string): string {
    return `${this.#base}list:${queue}`;
  }

  async #ask<Reply>(work: (commands: Redis, subscriber: Redis) => Promise<Reply>): Promise<Reply> {
    try {
      if (this.#link === undefined) throw this.#cause ?? new Error("not connected yet");
      return await this.#link.ask(work);
    } catch (cause) {
      throw new LayerUnavailable(`Redis cannot be used: ${(cause as Error).message}`, { cause });
    }
  }

  async #keepConnected(listener: BrokerListener): Promise<void> {
    const startedAt = Date.now();
    let reached = false;
    for (let failures = 0; !this.#closed; failures++) {
      this.#current = this.#newLink(listener);
      if ((await this.#current.open()) && !this.#closed) {
        failures = 0;
        reached = true;
        this.#link = this.#current;
        listener.connected();
      }
      const { cause, since } = await this.#current.ended;
      // Who waits for the first connection is told of each try that fails; later on there is nobody to wait.
      const told = this.#link !== undefined || !reached;
      this.#link = undefined;
      if (this.#closed) return;
      this.#cause = cause;
      if (told) listener.disconnected(cause, reached ? since : startedAt);
      await this.#pause(failures);
    }
  }

  #newLink(listener: BrokerListener): Link {
    const { source, timeout } = this.#options;
    const base = this.#base;
    return new Link({
      source,
      key: base,
      timeout,
      hear: (channel, payload) => listener.message(channel.slice(base.length), payload),
    });
  }

  async #pause(failures: number): Promise<void> {
    await sleep(reconnectPause(failures), undefined, { ref: false, signal: this.#closing.signal }).catch(() => {});
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }
}
