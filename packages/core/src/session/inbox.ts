import type { MaybePromise } from "../app.js";
import { ClientDisconnected } from "../errors.js";

export type Sink<Event> = (event: Event) => MaybePromise<void>;

export interface InboxLimits {
  /** How many events may wait. */
  readonly maxEvents: number;
  /** How much the waiting events may weigh together, in the unit of `push`. */
  readonly maxWeight: number;
}

/** Where the events come from. */
export interface Source {
  /** Called when the inbox, having been full, is half empty again. */
  resume?(): void;
}

interface Waiting<Event> {
  readonly event: Event;
  readonly weight: number;
}

interface Settle<Value> {
  resolve(value: Value): void;
  reject(error: unknown): void;
}

/**
 * Hands events to one reader, one at a time and in order: straight into its sink when it is idle, else through a bounded
 * queue.
 */
export class Inbox<Event> {
  readonly #maxEvents: number;
  readonly #maxWeight: number;
  readonly #source: Source | undefined;
  /** Undefined while nothing waits, as is the next: most connections are idle most of the time. */
  #queue: Waiting<Event>[] | undefined;
  #pullers: Settle<Event>[] | undefined;
  #weight = 0;
  #full = false;
  #sink: Sink<Event> | undefined;
  /** Settles what `pipe` has returned. One function, as it is kept for as long as the connection is open. */
  #piped: ((failure?: Promise<never>) => void) | undefined;
  #busy = false;
  #ended = false;
  #discarding = false;

  constructor({ maxEvents, maxWeight }: InboxLimits, source?: Source) {
    this.#maxEvents = maxEvents;
    this.#maxWeight = maxWeight;
    this.#source = source;
  }

  get size(): number {
    return this.#queue?.length ?? 0;
  }

  /** Takes an event. False if the inbox is now full: the caller must stop the source. */
  push(event: Event, weight = 0): boolean {
    if (this.#ended || this.#discarding) return true;
    if (this.#sink !== undefined && !this.#busy && this.#queue === undefined) {
      this.#deliver(event, this.#sink);
      if (this.#queue !== undefined) this.#drain();
      return true;
    }
    const puller = this.#pullers?.shift();
    if (puller !== undefined) {
      puller.resolve(event);
      return true;
    }
    const waiting = { event, weight };
    if (this.#queue === undefined) this.#queue = [waiting];
    else this.#queue.push(waiting);
    this.#weight += weight;
    // Once full, it stays so until half of it is gone: a late event must not make the caller forget that it has stopped.
    this.#full ||= this.size >= this.#maxEvents || this.#weight >= this.#maxWeight;
    return !this.#full;
  }

  /** Takes the last event there will be, whether or not there is room. */
  end(last: Event): void {
    if (this.#ended || this.#discarding) return;
    this.push(last);
    this.#ended = true;
    this.#settle();
  }

  /** Drops what waits, not what is still to come. */
  clear(): void {
    this.#queue = undefined;
    this.#weight = 0;
    this.#makeRoom();
  }

  /** Drops what waits and what is still to come: the reader has gone. */
  discard(): void {
    this.#discarding = true;
    this.clear();
  }

  /** Rejects with `ClientDisconnected` after the last event has been handed out. */
  pull(): Promise<Event> {
    const next = this.#take();
    if (next !== undefined) return Promise.resolve(next.event);
    if (this.#ended) return Promise.reject(new ClientDisconnected("the disconnect event has already been received"));
    return new Promise((resolve, reject) => {
      this.#pullers ??= [];
      this.#pullers.push({ resolve, reject });
    });
  }

  /** Resolves after the last event was handled, rejects with what `sink` throws. */
  pipe(sink: Sink<Event>): Promise<void> {
    if (this.#sink !== undefined) return Promise.reject(new TypeError("expected one receive.pipe() per connection"));
    this.#sink = sink;
    return new Promise((resolve) => {
      this.#piped = resolve;
      this.#drain();
    });
  }

  #deliver(event: Event, sink: Sink<Event>): void {
    // Also while the sink runs synchronously: what it causes to be pushed has to wait for its turn.
    this.#busy = true;
    let result: MaybePromise<void>;
    try {
      result = sink(event);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (result instanceof Promise) {
      result.then(
        () => this.#proceed(),
        (error: unknown) => this.#fail(error),
      );
    } else {
      this.#busy = false;
    }
  }

  #proceed(): void {
    this.#busy = false;
    this.#drain();
  }

  #fail(error: unknown): void {
    this.discard();
    this.#piped?.(Promise.reject(error));
  }

  #drain(): void {
    const sink = this.#sink;
    while (sink !== undefined && !this.#busy) {
      const next = this.#take();
      if (next === undefined) break;
      this.#deliver(next.event, sink);
    }
    this.#settle();
  }

  #take(): Waiting<Event> | undefined {
    const next = this.#queue?.shift();
    if (next === undefined) return undefined;
    if (this.#queue?.length === 0) this.#queue = undefined;
    this.#weight -= next.weight;
    if (this.size <= this.#maxEvents / 2 && this.#weight <= this.#maxWeight / 2) this.#makeRoom();
    return next;
  }

  #makeRoom(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#source?.resume?.();
  }

  #settle(): void {
    if (!this.#ended || this.#busy || this.#queue !== undefined) return;
    this.#piped?.();
    for (const puller of this.#pullers?.splice(0) ?? []) {
      puller.reject(new ClientDisconnected("the disconnect event has already been received"));
    }
  }
}
