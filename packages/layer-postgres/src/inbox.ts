import type { Connection } from "./connection.js";
import { type Notified, readNotification } from "./notification.js";
import { textArray } from "./sql-text.js";
import type { Tables } from "./tables.js";

interface Item {
  readonly topic: string;
  readonly notified: Notified;
}

/** How many payloads are read from the table at a time. */
const largestBatch = 4;

/** Hands on what has arrived, in that order: also behind a payload that has to be read from the table first. */
export class Inbox {
  readonly #connection: Connection;
  readonly #read: string;
  readonly #sink: (topic: string, payload: string) => void;
  readonly #failed: (error: unknown) => void;
  #items: Item[] = [];
  /** Payloads that were read and wait for their turn. */
  readonly #payloads = new Map<string, string>();
  #reading = false;

  /** Calls `failed` when payloads cannot be read: what has arrived is lost then. */
  constructor(
    connection: Connection,
    tables: Tables,
    sink: (topic: string, payload: string) => void,
    failed: (error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#read = `select id, payload from ${tables.payloads} where id = any($1::uuid[])`;
    this.#sink = sink;
    this.#failed = failed;
  }

  put(topic: string, text: string): void {
    const notified = readNotification(text);
    if (notified === undefined) return;
    if (!this.#reading && "payload" in notified) this.#sink(topic, notified.payload);
    else {
      this.#items.push({ topic, notified });
      if (!this.#reading) void this.#work();
    }
  }

  async #work(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#items.length > 0) await this.#handOnBatch();
    } catch (error) {
      this.#items = [];
      this.#failed(error);
    }
    this.#reading = false;
  }

  async #handOnBatch(): Promise<void> {
    const ids = this.#items.flatMap(({ notified }) => ("id" in notified ? notified.id : [])).slice(0, largestBatch);
    const rows = ids.length === 0 ? [] : await this.#connection.run(this.#read, [textArray(ids)]);
    for (const { id, payload } of rows) this.#payloads.set(String(id), String(payload));
    let left = ids.length;
    const isNext = ({ notified }: Item): boolean => "payload" in notified || left-- > 0;
    const end = this.#items.findIndex((item) => !isNext(item));
    for (const { topic, notified } of this.#items.splice(0, end === -1 ? this.#items.length : end)) {
      // One that is not there has expired.
      const payload = "payload" in notified ? notified.payload : this.#payloads.get(notified.id);
      if (payload !== undefined) this.#sink(topic, payload);
    }
    this.#payloads.clear();
  }
}
