import type { MaybePromise } from "../app.js";
import { LayerUnavailable } from "../errors.js";
import type { Channel, LayerGap, LayerMessage } from "../ports/channel-layer.js";
import type { Clock } from "../ports/clock.js";

/** A message on its way: one object, however many mailboxes it lies in. */
export interface Letter {
  readonly message: LayerMessage;
  /** Milliseconds since 1970, as is the next. */
  readonly sentAt: number;
  readonly expiresAt: number;
}

type Sink = (message: LayerMessage) => MaybePromise<void>;

interface Settle<Value> {
  resolve(value: Value): void;
  reject(error: unknown): void;
}

export interface MailboxOptions {
  readonly capacity: number;
  /** Whether its reader wants to hear of lost messages. */
  readonly gaps: boolean;
}

/** What all mailboxes of a layer share. */
export interface PostOffice {
  readonly clock: Clock;
  /** Called once per mailbox, when it is closed. */
  forget(mailbox: Mailbox): void;
}

/**
 * A channel in memory. Putting a letter in and handing letters out are two steps, so that a message lies in every
 * member's mailbox before the first of them can answer it.
 */
export class Mailbox implements Channel {
  readonly name: string;
  /** Kept by the layer. */
  groups: string[] = [];
  readonly #office: PostOffice;
  readonly #capacity: number;
  readonly #gaps: boolean;
  #letters: Letter[] = [];
  /** How many of the letters are marks of a gap, which take nobody's place. */
  #marks = 0;
  #pullers: Settle<LayerMessage>[] | undefined;
  #sink: Sink | undefined;
  /** Settles what `pipe` has returned. One function, as it is kept for as long as the channel is open. */
  #piped: ((failure?: Promise<never>) => void) | undefined;
  #busy = false;
  #closed = false;

  constructor(name: string, options: MailboxOptions, office: PostOffice) {
    this.name = name;
    this.#capacity = options.capacity;
    this.#gaps = options.gaps;
    this.#office = office;
  }

  /** False if the mailbox is full. */
  put(letter: Letter): boolean {
    if (this.#full) {
      this.#dropExpired();
      if (this.#full) {
        this.noteGap("full", letter.sentAt);
        return false;
      }
    }
    this.#letters.push(letter);
    return true;
  }

  /** Marks the place behind the last message, where others are missing. No mark stands beside another: the earlier one speaks. */
  noteGap(reason: LayerGap["reason"], since: number): void {
    if (!this.#gaps) return;
    const last = this.#letters.at(-1);
    if (last === undefined || !isGap(last)) {
      this.#letters.push(gap(reason, since));
      this.#marks++;
    } else if (since < last.sentAt) this.#letters[this.#letters.length - 1] = gap(reason, since);
  }

  /** Hands out what lies here, as far as its reader is ready for it. */
  deliver(): void {
    if (this.#pullers !== undefined) this.#answer(this.#pullers);
    while (this.#sink !== undefined && !this.#busy) {
      const letter = this.#take();
      if (letter === undefined) return;
      this.#handOver(letter.message, this.#sink);
    }
  }

  /** Drops what lies here. */
  empty(): void {
    this.#letters = [];
    this.#marks = 0;
  }

  receive(): Promise<LayerMessage> {
    if (this.#sink !== undefined) {
      return Promise.reject(new TypeError("expected either receive() or pipe() on a channel, got both"));
    }
    if (this.#closed) return Promise.reject(this.#closedError());
    const letter = this.#take();
    if (letter !== undefined) return Promise.resolve(letter.message);
    return new Promise((resolve, reject) => {
      this.#pullers ??= [];
      this.#pullers.push({ resolve, reject });
    });
  }

  pipe(sink: Sink): Promise<void> {
    if (this.#sink !== undefined || this.#pullers !== undefined) {
      return Promise.reject(new TypeError("expected one pipe() on a channel, and no receive() beside it"));
    }
    if (this.#closed) return Promise.resolve();
    this.#sink = sink;
    return new Promise((resolve) => {
      this.#piped = resolve;
      this.deliver();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.empty();
    this.#office.forget(this);
    for (const puller of this.#pullers ?? []) puller.reject(this.#closedError());
    if (!this.#busy) this.#piped?.();
  }

  #handOver(message: LayerMessage, sink: Sink): void {
    this.#busy = true;
    let result: MaybePromise<void>;
    try {
      result = sink(message);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (!(result instanceof Promise)) {
      this.#ready();
      return;
    }
    result.then(
      () => {
        this.#ready();
        this.deliver();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #ready(): void {
    this.#busy = false;
    if (this.#closed) this.#piped?.();
  }

  /** The mailbox stays busy: nobody reads it any more. */
  #fail(error: unknown): void {
    this.#piped?.(Promise.reject(error));
  }

  #answer(pullers: Settle<LayerMessage>[]): void {
    while (pullers.length > 0) {
      const letter = this.#take();
      if (letter === undefined) return;
      pullers.shift()?.resolve(letter.message);
    }
    this.#pullers = undefined;
  }

  #take(): Letter | undefined {
    const oldest = this.#letters[0];
    if (oldest !== undefined && oldest.expiresAt <= this.#office.clock.now()) this.#dropExpired();
    const letter = this.#letters.shift();
    if (letter !== undefined && isGap(letter)) this.#marks--;
    return letter;
  }

  get #full(): boolean {
    return this.#letters.length - this.#marks >= this.#capacity;
  }

  /** Messages lie in the order of their expiry. Of all that lies before the first fresh one, one mark is left. */
  #dropExpired(): void {
    const now = this.#office.clock.now();
    const fresh = this.#letters.findIndex((letter) => letter.expiresAt > now && !isGap(letter));
    const old = this.#letters.splice(0, fresh === -1 ? this.#letters.length : fresh);
    if (old.length === 0 || !this.#gaps) return;
    const earliest = old.reduce((one, other) => (other.sentAt < one.sentAt ? other : one));
    this.#letters.unshift(isGap(earliest) ? earliest : gap("expired", earliest.sentAt));
    this.#marks += 1 - old.filter(isGap).length;
  }

  #closedError(): LayerUnavailable {
    return new LayerUnavailable(`the channel "${this.name}" is closed`);
  }
}

function gap(reason: LayerGap["reason"], since: number): Letter {
  const message: LayerGap = { type: "layer.gap", reason, since };
  return { message: Object.freeze({ ...message }), sentAt: since, expiresAt: Number.POSITIVE_INFINITY };
}

function isGap(letter: Letter): boolean {
  return letter.message.type === "layer.gap";
}
