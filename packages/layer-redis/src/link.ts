import type { Redis } from "ioredis";
import { Connection, patience } from "./connection.js";
import { driverError } from "./driver-error.js";
import { once, type RedisSource } from "./redis-source.js";

export interface LinkOptions {
  readonly source: RedisSource;
  /** A key in the slot where everything is. */
  readonly key: string;
  /** Milliseconds the server may take to answer. */
  readonly timeout: number;
  hear(channel: string, payload: string): void;
}

/** Why a link has ended, and when it surely was there the last time. */
export interface Loss {
  readonly cause: Error;
  readonly since: number;
}

/** Replies which say that this server is not, or not any more, the one to talk to. */
const wrongServer = /^(?:MOVED|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN) /;

/**
 * One connection for commands and one for subscriptions, which live and die together. A link is made, opened and lost once;
 * then there is another one.
 */
export class Link {
  /** Resolves at the end, and never rejects. */
  readonly ended: Promise<Loss>;
  readonly #options: LinkOptions;
  readonly #madeAt = Date.now();
  readonly #over = new AbortController();
  #end: (loss: Loss) => void = () => {};
  #commands: Connection | undefined;
  #subscriber: Connection | undefined;
  #heart: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** False when the server cannot be reached or does not answer in time: the link has ended then. */
  async open(): Promise<boolean> {
    const { timeout } = this.#options;
    const deadline = setTimeout(
      () => this.fail(new Error(`Redis did not answer within ${timeout} ms`)),
      timeout,
    ).unref();
    const opened = this.#open().catch((error: unknown) => this.fail(driverError(error)));
    await Promise.race([opened, this.ended]);
    clearTimeout(deadline);
    return !this.#over.signal.aborted;
  }

  /** What `work` resolves with. A reply which says that the server is the wrong one ends the link. */
  async ask<Reply>(work: (commands: Redis, subscriber: Redis) => Promise<Reply>): Promise<Reply> {
    const [commands, subscriber] = [this.#commands, this.#subscriber];
    if (commands === undefined || subscriber === undefined) throw new Error("expected a link that is open");
    try {
      return await work(commands.redis, subscriber.redis);
    } catch (error) {
      const cause = driverError(error);
      if (wrongServer.test(cause.message)) this.fail(cause);
      throw cause;
    }
  }

  /** Ends the link at once: what has no answer yet rejects. */
  fail(cause: Error): void {
    if (!this.#finish(cause)) return;
    for (const connection of this.#connections) connection.destroy();
  }

  /** Resolves when the server has forgotten the subscriptions, or does not answer. */
  async close(): Promise<void> {
    this.#finish(new Error("the layer is closed"));
    await Promise.all(this.#connections.map((connection) => connection.close(this.#options.timeout / 2)));
  }

  get #connections(): Connection[] {
    return [this.#commands, this.#subscriber].filter((connection) => connection !== undefined);
  }

  async #open(): Promise<void> {
    const { source, key, hear } = this.#options;
    const server = await source.find(key, this.#over.signal);
    if (this.#over.signal.aborted) return;
    const connect = (): Connection => new Connection(server.duplicate(once), (cause) => this.fail(cause));
    const [commands, subscriber] = [connect(), connect()];
    this.#commands = commands;
    this.#subscriber = subscriber;
    subscriber.redis.on(source.isCluster ? "smessage" : "message", (channel: string, payload: string) => {
      subscriber.heard();
      hear(channel, payload);
    });
    await Promise.all([commands.open(), subscriber.open()]);
    if (!this.#over.signal.aborted) this.#startHeart();
  }

  /** A frozen server keeps its connections: only its silence shows it. */
  #startHeart(): void {
    const { timeout } = this.#options;
    const beat = (): void => {
      if (this.#connections.every((connection) => connection.beat())) return;
      this.fail(new Error(`Redis has not answered for ${Math.round((timeout * patience) / (patience + 1))} ms`));
    };
    this.#heart = setInterval(beat, timeout / (patience + 1)).unref();
  }

  #finish(cause: Error): boolean {
    if (this.#over.signal.aborted) return false;
    this.#over.abort();
    clearInterval(this.#heart);
    const reached = this.#connections.map(({ reachedAt }) => reachedAt);
    this.#end({ cause, since: Math.max(this.#madeAt, Math.min(Date.now(), ...reached)) });
    return true;
  }
}
