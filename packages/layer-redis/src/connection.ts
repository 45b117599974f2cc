import type { Redis } from "ioredis";
import { driverError } from "./driver-error.js";

/** So many beats without a sign of life, and a connection counts as dead. */
export const patience = 3;

/** One connection to Redis, from its making to its end: it is never connected again. */
export class Connection {
  readonly redis: Redis;
  readonly #lost: (cause: Error) => void;
  /** The reason behind "Connection is closed". */
  #trouble: unknown;
  #silentBeats = 0;
  #asking = false;
  #reachedAt = 0;

  /** Calls `lost` at its end, unless it was closed. */
  constructor(redis: Redis, lost: (cause: Error) => void) {
    this.redis = redis;
    this.#lost = lost;
    redis.on("error", (error) => {
      this.#trouble ??= error;
    });
    redis.once("end", () => this.#lost(driverError(this.#trouble ?? new Error("the connection was closed"))));
    // A slot has moved to another node of the cluster, and its subscriptions are gone.
    redis.once("moved", () => this.#lost(new Error("the subscriptions have moved to another node")));
  }

  /** The last moment at which it surely was there, in milliseconds since 1970. */
  get reachedAt(): number {
    return this.#reachedAt;
  }

  /** Resolves when the server has let this client in and answers. */
  async open(): Promise<void> {
    try {
      await this.redis.connect();
      await this.#ping();
    } catch (error) {
      throw driverError(this.#trouble ?? error);
    }
  }

  /** Something has come from the server. */
  heard(): void {
    this.#silentBeats = 0;
  }

  /**
   * Asks for a sign of life; false if there was none since so many beats. Beats are counted and no time is taken: when this
   * process is busy for long, an answer that waits to be read is read before the next beat.
   */
  beat(): boolean {
    if (this.#silentBeats === patience) return false;
    this.#silentBeats++;
    if (!this.#asking) this.#ping().catch(() => {});
    return true;
  }

  /** At once: whatever has no answer yet rejects. */
  destroy(): void {
    this.redis.disconnect();
    this.redis.stream?.destroy();
  }

  /** Resolves when the server has forgotten this client; it gets `ms` for that. */
  async close(ms: number): Promise<void> {
    if (this.redis.status === "end") return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.destroy();
        resolve();
      }, ms);
      this.redis.once("end", () => {
        clearTimeout(timer);
        resolve();
      });
      this.redis.disconnect();
    });
  }

  async #ping(): Promise<void> {
    const askedAt = Date.now();
    this.#asking = true;
    await this.redis.ping();
    this.#asking = false;
    this.#reachedAt = askedAt;
    this.heard();
  }
}
