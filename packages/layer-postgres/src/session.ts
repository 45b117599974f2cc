import type { QueueLimits } from "@sluice/core";
import { channelName, lockKey } from "./channel-name.js";
import { Connection } from "./connection.js";
import { Inbox } from "./inbox.js";
import { Lane } from "./lane.js";
import { Publisher } from "./publisher.js";
import { Queues } from "./queues.js";
import { checkRoundTrip } from "./round-trip.js";
import type { Server } from "./server-url.js";
import { Subscriber } from "./subscriber.js";
import { Sweeper } from "./sweeper.js";
import { type Tables, tables } from "./tables.js";

export interface SessionOptions {
  /** Begins the names of everything, so that several layers can share a database. */
  readonly prefix: string;
  /** Milliseconds that an answer may take. */
  readonly timeout: number;
  message(topic: string, payload: string): void;
}

/** Two connections: one listens, and nothing holds it up; one does everything else. */
interface Connections {
  readonly notifications: Connection;
  readonly queries: Connection;
  /** Resolves with the cause when one is lost, and the other was given up for it. */
  readonly lost: Promise<unknown>;
  /** Gives both up. */
  readonly lose: (cause: unknown) => void;
  /** What is called with a channel and the text of a notification. */
  heard: (channel: string, text: string) => void;
}

/** Connects to a server. Rejects with the driver's error, or with `ConfigurationError` behind a transaction pooler. */
export async function openSession(server: Server, options: SessionOptions, signal: AbortSignal): Promise<Session> {
  const connections = connect(server, options.timeout);
  const { notifications, queries } = connections;
  const giveUp = (): void => {
    for (const connection of [notifications, queries]) connection.destroy(signal.reason);
  };
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const lost = connections.lost.then((cause) => Promise.reject(cause));
    const found = await Promise.race([setUp(connections, options.timeout), lost]);
    return new Session(connections, found, options);
  } catch (error) {
    for (const connection of [notifications, queries]) connection.destroy(error);
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function connect(server: Server, timeout: number): Connections {
  let lose = (_cause: unknown): void => {};
  const lost = new Promise<unknown>((resolve) => {
    lose = (cause) => {
      for (const connection of [notifications, queries]) connection.destroy(cause);
      resolve(cause);
    };
  });
  const notifications = new Connection(server, {
    timeout,
    lost: lose,
    notified: (channel, text) => connections.heard(channel, text),
  });
  const queries = new Connection(server, { timeout, lost: lose });
  const connections: Connections = { notifications, queries, lost, lose, heard: () => {} };
  return connections;
}

async function setUp(connections: Connections, timeout: number): Promise<Tables> {
  const { notifications, queries } = connections;
  await checkRoundTrip(
    notifications,
    queries,
    (heard) => {
      connections.heard = heard;
    },
    // Who waits for the layer waits for as long as an answer may take, and is to hear what is wrong.
    timeout / 2,
  );
  // A statement is ended before its connection is given up for it. And a client whose machine has gone without a word is
  // found out in half a minute: until then, its locks say that it is there.
  const settings = `
    set statement_timeout = ${Math.ceil(timeout * 0.9)};
    set synchronous_commit = off;
    set tcp_keepalives_idle = 10;
    set tcp_keepalives_interval = 5;
    set tcp_keepalives_count = 4`;
  const [found] = await Promise.all([tables(queries), queries.run(settings), notifications.run(settings)]);
  return found;
}

/** What a broker does while it is connected. */
export class Session {
  /** Resolves with the cause when the server cannot be reached any more. */
  readonly lost: Promise<unknown>;
  readonly tables: Tables;
  readonly #prefix: string;
  readonly #notifications: Connection;
  readonly #queries: Connection;
  readonly #calls = new Lane();
  readonly #subscriptions = new Lane();
  readonly #publisher: Publisher;
  readonly #subscriber: Subscriber;
  readonly #queues: Queues;
  readonly #sweeper: Sweeper;

  constructor(connections: Connections, tables: Tables, { prefix, message }: SessionOptions) {
    const { notifications, queries, lost, lose } = connections;
    this.lost = lost;
    this.tables = tables;
    this.#prefix = prefix;
    this.#notifications = notifications;
    this.#queries = queries;
    this.#publisher = new Publisher(queries, tables);
    this.#subscriber = new Subscriber(notifications, prefix);
    this.#queues = new Queues(queries, tables, prefix);
    this.#sweeper = new Sweeper(queries, tables);
    const inbox = new Inbox(queries, tables, message, lose);
    connections.heard = (channel, text) => {
      const topic = this.#subscriber.topicOf(channel);
      if (topic !== undefined) inbox.put(topic, text);
    };
    void lost.then(() => this.#sweeper.stop());
  }

  /** The last moment at which the server surely could be reached, in milliseconds since 1970. */
  get lastSeen(): number {
    return Math.min(this.#notifications.lastSeen, this.#queries.lastSeen);
  }

  subscribe(topic: string): Promise<void> {
    return this.#subscriptions.enterFor(topic, this.#calls, () =>
      this.#subscriber.subscribe(topic, hasPresence(topic)),
    );
  }

  unsubscribe(topic: string): Promise<void> {
    return this.#subscriptions.enterFor(topic, this.#calls, () =>
      this.#subscriber.unsubscribe(topic, hasPresence(topic)),
    );
  }

  publish(topic: string, payload: string): Promise<boolean> {
    const channel = channelName(this.#prefix, topic);
    const presence = hasPresence(topic) ? lockKey(channel) : undefined;
    return this.#calls.enterFor(topic, this.#subscriptions, () => this.#publisher.publish(channel, payload, presence));
  }

  push(queue: string, payload: string, limits: QueueLimits): Promise<boolean> {
    return this.#afterPublishing(() => this.#queues.push(queue, payload, limits));
  }

  pop(queue: string): Promise<string | undefined> {
    return this.#afterPublishing(() => this.#queues.pop(queue));
  }

  flush(): Promise<void> {
    return this.#afterPublishing(() => this.#queues.flush());
  }

  /** What is under way rejects with `cause`. When it resolves, others can see that nobody listens here any more. */
  async close(cause: unknown): Promise<void> {
    this.#sweeper.stop();
    const left = this.#subscriber.leave().catch(() => {});
    await Promise.all([this.#queries.close(cause), left]);
    await this.#notifications.close(cause);
  }

  #afterPublishing<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.#calls.enter(() => {
      this.#publisher.flush();
      return call();
    });
  }
}

/** Only who sends to a process wants to know whether anybody is there; to look is not free. */
function hasPresence(topic: string): boolean {
  return topic.startsWith("process:");
}
