import type { MaybePromise } from "../app.js";
import { LayerUnavailable } from "../errors.js";
import type { Channel, LayerMessage } from "../ports/channel-layer.js";

const noGroups: readonly string[] = [];

type Sink = (message: LayerMessage) => MaybePromise<void>;

interface Puller {
  resolve(message: LayerMessage): void;
  reject(error: unknown): void;
}

/** A queue of messages that several readers share. */
export interface SharedQueue {
  /** Takes the oldest message out, undefined if there is none. May reject while the queue cannot be reached. */
  take(): MaybePromise<LayerMessage | undefined>;
  /** Called once per reader, when it is closed. */
  forget(reader: QueueReader): void;
}

/**
 * One reader of a named channel. It takes a message out only when somebody is ready for it: what waits, waits where the
 * others can take it, too.
 */
export class QueueReader implements Channel {
  readonly name: string;
  readonly groups: readonly string[] = noGroups;
  readonly #queue: SharedQueue;
  readonly #pullers: Puller[] = [];
  #sink: Sink | undefined;
  #piped: { resolve(): void; reject(error: unknown): void } | undefined;
  /** What was taken out of the queue last, or is just being taken. */
  #taking: Promise<LayerMessage | undefined> | undefined;
  /** Whether the loop that takes messages is running. */
  #reading = false;
  /** Whether something may have come since the queue was last found empty. */
  #stirred = true;
  #busy = false;
  #closed = false;

  constructor(name: string, queue: SharedQueue) {
    this.name = name;
    this.#queue = queue;
  }

  /** True if somebody waits for a message and nobody is looking for one. */
  get isIdle(): boolean {
    return this.#reading === undefined && this.#wanted;
  }

  /** Says that there may be a message in the queue. */
  wake(): void {
    this.#stirred = true;
    // A failure of the queue ends the loop. Whoever finds that the queue can be reached again wakes its readers.
    if (!this.#reading) this.#read().catch(() => {});
  }

  receive(): Promise<LayerMessage> {
    if (this.#sink !== undefined) {
      return Promise.reject(new TypeError("expected either receive() or pipe() on a channel, got both"));
    }
    if (this.#closed) return Promise.reject(this.#closedError());
    return new Promise((resolve, reject) => {
      this.#pullers.push({ resolve, reject });
      this.wake();
    });
  }

  pipe(sink: Sink): Promise<void> {
    if (this.#sink !== undefined || this.#pullers.length > 0) {
      return Promise.reject(new TypeError("expected one pipe() on a channel, and no receive() beside it"));
    }
    if (this.#closed) return Promise.resolve();
    this.#sink = sink;
    return new Promise((resolve, reject) => {
      this.#piped = { resolve, reject };
      this.wake();
    });
  }

  /** Resolves when what was on its way here has been handed over. A sink that is busy may take its time. */
  async close(): Promise<void> {
    this.#leave();
    // The loop has waited for longer, and so goes on before this does.
    await this.#taking?.catch(() => {});
    for (const puller of this.#pullers.splice(0)) puller.reject(this.#closedError());
    if (!this.#busy) this.#piped?.resolve();
  }

  get #wanted(): boolean {
    return !this.#closed && (this.#sink !== undefined || this.#pullers.length > 0);
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#stirred && this.#wanted) {
        this.#stirred = false;
        this.#taking = Promise.resolve(this.#queue.take());
        const message = await this.#taking;
        if (message === undefined) continue;
        this.#stirred = true;
        await this.#handOver(message);
      }
    } finally {
      this.#reading = false;
      // It may have been woken while the failure was on its way.
      if (this.#stirred && this.#wanted) this.wake();
    }
  }

  /** Never rejects: a sink's failure is told by `pipe()`, and ends the reading. */
  async #handOver(message: LayerMessage): Promise<void> {
    if (this.#sink === undefined) {
      this.#pullers.shift()?.resolve(message);
      return;
    }
    this.#busy = true;
    try {
      await this.#sink(message);
      this.#busy = false;
      if (this.#closed) this.#piped?.resolve();
    } catch (error) {
      this.#leave();
      this.#piped?.reject(error);
    }
  }

  #leave(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.forget(this);
  }

  #closedError(): LayerUnavailable {
    return new LayerUnavailable(`the channel "${this.name}" is closed`);
  }
}
