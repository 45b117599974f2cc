import type { LayerMessage } from "../ports/channel-layer.js";
import type { Cancel } from "../ports/clock.js";
import type { LocalChannels } from "./local-channels.js";
import type { Letter } from "./mailbox.js";
import type { QueueReader, SharedQueue } from "./queue-reader.js";

/** A named channel of the in-memory layer: what waits, and who reads. */
export class MemoryQueue implements SharedQueue {
  readonly #local: LocalChannels;
  readonly #capacity: number;
  readonly #abandoned: () => void;
  readonly #readers = new Set<QueueReader>();
  #letters: Letter[] = [];
  #cancelSweep: Cancel | undefined;

  /** Calls `abandoned` when it holds nothing and nobody reads it. */
  constructor(local: LocalChannels, capacity: number, abandoned: () => void) {
    this.#local = local;
    this.#capacity = capacity;
    this.#abandoned = abandoned;
  }

  add(reader: QueueReader): void {
    this.#readers.add(reader);
  }

  forget(reader: QueueReader): void {
    this.#readers.delete(reader);
    this.#leaveIfDone();
  }

  /** False if it is full. */
  put(message: LayerMessage): boolean {
    const { clock, expiry } = this.#local;
    this.#dropExpired();
    if (this.#letters.length >= this.#capacity) return false;
    const sentAt = clock.now();
    this.#letters.push({ message, sentAt, expiresAt: sentAt + expiry });
    this.#cancelSweep ??= clock.after(expiry, () => this.#sweep());
    for (const reader of this.#readers) reader.wake();
    return true;
  }

  take(): LayerMessage | undefined {
    this.#dropExpired();
    const letter = this.#letters.shift();
    this.#leaveIfDone();
    return letter?.message;
  }

  empty(): void {
    this.#letters = [];
    this.#leaveIfDone();
  }

  /** Else a channel that nobody ever reads would stay for ever. */
  #sweep(): void {
    this.#cancelSweep = undefined;
    this.#dropExpired();
    const [oldest] = this.#letters;
    const { clock } = this.#local;
    if (oldest === undefined) this.#leaveIfDone();
    else this.#cancelSweep = clock.after(oldest.expiresAt - clock.now(), () => this.#sweep());
  }

  #dropExpired(): void {
    const now = this.#local.clock.now();
    while ((this.#letters[0]?.expiresAt ?? Number.POSITIVE_INFINITY) <= now) this.#letters.shift();
  }

  #leaveIfDone(): void {
    if (this.#letters.length > 0 || this.#readers.size > 0) return;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    this.#abandoned();
  }
}
