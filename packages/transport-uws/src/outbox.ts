import type { Guard } from "@sluice/core";

interface Sender {
  /** Sends what it has kept. */
  flush(): void;
}

/**
 * Holds what is written to many WebSockets until the turn of the event loop is over. A client that is sent several messages
 * in it, as a member of a lively group is, then gets them by one system call, which costs more than all else in a delivery.
 */
export class Outbox {
  readonly #flushOne: (sender: Sender) => void;
  #senders: Sender[] = [];

  constructor(guard: Guard) {
    this.#flushOne = guard((sender) => sender.flush());
  }

  /** Once per turn for each. */
  add(sender: Sender): void {
    if (this.#senders.push(sender) === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const senders = this.#senders;
    this.#senders = [];
    for (const sender of senders) this.#flushOne(sender);
  };
}
