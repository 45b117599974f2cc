import { setTimeout as sleep } from "node:timers/promises";
import {
  type Broker,
  type BrokerListener,
  ConfigurationError,
  LayerUnavailable,
  type QueueLimits,
  reconnectPause,
} from "@sluice/core";
import { type Server, serversOf } from "./server-url.js";
import { openSession, type Session, type SessionOptions } from "./session.js";
import type { Tables } from "./tables.js";

export interface PostgresBrokerOptions {
  readonly url: string;
  readonly prefix: string;
  /** Milliseconds that the server may take to answer before it counts as lost. */
  readonly timeout: number;
}

/** Milliseconds after a mistake that only somebody can put right, and that takes a while to find. */
const pauseAfterMistake = 5_000;

/** Topics on `NOTIFY` and queues in a table, and the connections for them, which are restored for as long as it is open. */
export class PostgresBroker implements Broker {
  readonly #servers: readonly Server[];
  readonly #prefix: string;
  readonly #timeout: number;
  readonly #closing = new AbortController();
  #session: Session | undefined;
  #cause: unknown = new Error("no connection was made yet");
  #tables: Tables | undefined;
  #connecting: Promise<void> | undefined;

  /** Throws `ConfigurationError` for a URL that cannot be one. */
  constructor({ url, prefix, timeout }: PostgresBrokerOptions) {
    this.#servers = serversOf(url);
    this.#prefix = prefix;
    this.#timeout = timeout;
  }

  /** Known once the server has been reached; throws before. */
  get tables(): Tables {
    if (this.#tables === undefined) throw unavailable(this.#cause);
    return this.#tables;
  }

  connect(listener: BrokerListener): void {
    this.#connecting = this.#stayConnected(listener);
  }

  subscribe(topic: string): Promise<void> {
    return this.#ask((session) => session.subscribe(topic));
  }

  unsubscribe(topic: string): Promise<void> {
    return this.#ask((session) => session.unsubscribe(topic));
  }

  publish(topic: string, payload: string): Promise<boolean> {
    return this.#ask((session) => session.publish(topic, payload));
  }

  push(queue: string, payload: string, limits: QueueLimits): Promise<boolean> {
    return this.#ask((session) => session.push(queue, payload, limits));
  }

  pop(queue: string): Promise<string | undefined> {
    return this.#ask((session) => session.pop(queue));
  }

  flush(): Promise<void> {
    return this.#ask((session) => session.flush());
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#cause = new Error("the channel layer is closed");
    this.#closing.abort(this.#cause);
    await session?.close(this.#cause);
    await this.#connecting;
  }

  async #stayConnected(listener: BrokerListener): Promise<void> {
    const { signal } = this.#closing;
    const options = {
      prefix: this.#prefix,
      timeout: this.#timeout,
      message: (topic: string, payload: string) => listener.message(topic, payload),
    };
    let lastSeen = Date.now();
    for (let failures = 0; !signal.aborted; ) {
      let cause: unknown;
      try {
        const session = await openAny(this.#servers, options, signal);
        failures = 0;
        this.#session = session;
        this.#tables = session.tables;
        listener.connected();
        cause = await lostOrAborted(session.lost, signal);
        lastSeen = session.lastSeen;
      } catch (error) {
        cause = error;
      }
      if (signal.aborted) return;
      this.#session = undefined;
      this.#cause = cause;
      listener.disconnected(cause, lastSeen);
      await sleep(pause(failures++, cause), undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #ask<Answer>(question: (session: Session) => Promise<Answer>): Promise<Answer> {
    if (this.#session === undefined) throw unavailable(this.#cause);
    try {
      return await question(this.#session);
    } catch (error) {
      throw unavailable(error);
    }
  }
}

/** The first of the servers that can be reached. */
async function openAny(servers: readonly Server[], options: SessionOptions, signal: AbortSignal): Promise<Session> {
  let cause: unknown;
  for (const server of servers) {
    if (signal.aborted) break;
    try {
      return await openSession(server, options, signal);
    } catch (error) {
      cause = error;
    }
  }
  throw cause;
}

/** Leaves nothing on the signal, which lives for longer than a connection. */
function lostOrAborted(lost: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    const aborted = (): void => resolve(signal.reason);
    signal.addEventListener("abort", aborted);
    void lost.then((cause) => {
      signal.removeEventListener("abort", aborted);
      resolve(cause);
    });
  });
}

function pause(failures: number, cause: unknown): number {
  if (cause instanceof ConfigurationError) return pauseAfterMistake;
  return reconnectPause(failures);
}

function unavailable(cause: unknown): LayerUnavailable {
  const message = cause instanceof ConfigurationError ? cause.message : "the channel layer cannot be reached";
  return new LayerUnavailable(message, { cause });
}
