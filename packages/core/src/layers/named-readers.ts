import type { Broker } from "../ports/broker.js";
import type { LayerMessage } from "../ports/channel-layer.js";
import type { Cancel, Clock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import { QueueReader } from "./queue-reader.js";
import { QueueTap } from "./queue-tap.js";

export interface NamedReadersOptions {
  readonly broker: Pick<Broker, "pop">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What `work` resolves with, or a rejection when it takes too long. */
  answered<Value>(work: Promise<Value>): Promise<Value>;
  /** Called when a channel has lost its last reader. */
  readonly deserted: (channel: string) => void;
}

/** Milliseconds after which a reader looks into its queue though nobody has woken it: a wake-up may be lost. */
const longestSleep = 5_000;

/** The readers of named channels that one process has. */
export class NamedReaders {
  readonly #options: NamedReadersOptions;
  readonly #readers = new Map<string, Set<QueueReader>>();
  /** What readers are just taking out of their queues. */
  readonly #takes = new Set<Promise<unknown>>();
  #cancelPoll: Cancel | undefined;

  constructor(options: NamedReadersOptions) {
    this.#options = options;
  }

  open(channel: string): QueueReader {
    const tap = new QueueTap({
      pop: () => this.#options.broker.pop(channel),
      answered: (popping) => this.#options.answered(popping),
      late: (payload) => {
        if (this.#readers.get(channel)?.has(reader)) reader.wake();
        else if (payload !== undefined) {
          this.#options.logger.warn({ channel }, "a message came when its reader had been closed, and is lost");
        }
      },
      logger: this.#options.logger,
    });
    const reader = new QueueReader(channel, {
      take: async () => {
        const message = await this.#noted(tap.take());
        if (message !== undefined) this.wake(channel);
        return message;
      },
      forget: (closed) => this.#forget(channel, closed),
    });
    const readers = this.#readers.get(channel);
    if (readers === undefined) this.#readers.set(channel, new Set([reader]));
    else readers.add(reader);
    this.#poll();
    return reader;
  }

  /** One that is idle is enough, as it wakes the next when it has found something; else all of them look again. */
  wake(channel: string): void {
    const readers = [...(this.#readers.get(channel) ?? [])];
    const idle = readers.find((reader) => reader.isIdle);
    for (const reader of idle === undefined ? readers : [idle]) reader.wake();
  }

  wakeAll(): void {
    for (const channel of this.#readers.keys()) this.wake(channel);
  }

  /** Resolves when nothing is on its way out of a queue any more, also for readers that somebody else has just closed. */
  async close(): Promise<void> {
    const readers = [...this.#readers.values()].flatMap((some) => [...some]);
    await Promise.all(readers.map((reader) => reader.close()));
    await Promise.allSettled(this.#takes);
  }

  async #noted(taking: Promise<LayerMessage | undefined>): Promise<LayerMessage | undefined> {
    this.#takes.add(taking);
    try {
      return await taking;
    } finally {
      this.#takes.delete(taking);
    }
  }

  #forget(channel: string, reader: QueueReader): void {
    const readers = this.#readers.get(channel);
    readers?.delete(reader);
    if (readers?.size !== 0) return;
    this.#readers.delete(channel);
    this.#options.deserted(channel);
    if (this.#readers.size > 0) return;
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
  }

  #poll(): void {
    this.#cancelPoll ??= this.#options.clock.after(longestSleep, () => {
      this.#cancelPoll = undefined;
      this.wakeAll();
      this.#poll();
    });
  }
}
