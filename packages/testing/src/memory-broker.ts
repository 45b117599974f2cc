import { type Broker, type BrokerListener, LayerUnavailable, type QueueLimits } from "@sluice/core";

interface Item {
  readonly payload: string;
  readonly expiresAt: number;
}

/** A server for brokers to connect to, in the memory of a test. */
export class MemoryBrokerServer {
  readonly #now: () => number;
  readonly #brokers = new Set<MemoryBroker>();
  readonly #queues = new Map<string, Item[]>();
  #running = true;

  /** `now` gives milliseconds since 1970: the system's clock if left out. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The connection of one more process. */
  broker(): Broker {
    const broker = new MemoryBroker(this, this.#now);
    this.#brokers.add(broker);
    return broker;
  }

  /** Ends every connection; what is asked of it rejects until `start()`. Queues survive. */
  stop(): void {
    this.#running = false;
    for (const broker of this.#brokers) broker.lose();
  }

  start(): void {
    this.#running = true;
    for (const broker of this.#brokers) broker.gain();
  }

  get running(): boolean {
    return this.#running;
  }

  /** The topics that somebody subscribes to. */
  get topics(): readonly string[] {
    return [...new Set([...this.#brokers].flatMap((broker) => [...broker.topics]))].sort();
  }

  publish(topic: string, payload: string): boolean {
    let heard = false;
    for (const broker of this.#brokers) heard = broker.hear(topic, payload) || heard;
    return heard;
  }

  push(queue: string, payload: string, { capacity, expiry }: QueueLimits): boolean {
    const items = this.#fresh(queue);
    if (items.length >= capacity) return false;
    items.push({ payload, expiresAt: this.#now() + expiry });
    return true;
  }

  pop(queue: string): string | undefined {
    const items = this.#fresh(queue);
    const payload = items.shift()?.payload;
    if (items.length === 0) this.#queues.delete(queue);
    return payload;
  }

  flush(): void {
    this.#queues.clear();
  }

  leave(broker: MemoryBroker): void {
    this.#brokers.delete(broker);
  }

  #fresh(queue: string): Item[] {
    const items = (this.#queues.get(queue) ?? []).filter(({ expiresAt }) => expiresAt > this.#now());
    this.#queues.set(queue, items);
    return items;
  }
}

class MemoryBroker implements Broker {
  readonly topics: Set<string> = new Set();
  readonly #server: MemoryBrokerServer;
  readonly #now: () => number;
  #listener: BrokerListener | undefined;
  #up = false;

  constructor(server: MemoryBrokerServer, now: () => number) {
    this.#server = server;
    this.#now = now;
  }

  connect(listener: BrokerListener): void {
    this.#listener = listener;
    if (this.#server.running) this.gain();
    else queueMicrotask(() => this.lose());
  }

  gain(): void {
    queueMicrotask(() => {
      if (this.#up || !this.#server.running || this.#listener === undefined) return;
      this.#up = true;
      this.#listener.connected();
    });
  }

  lose(): void {
    this.#up = false;
    this.topics.clear();
    this.#listener?.disconnected(new Error("the server was stopped"), this.#now());
  }

  hear(topic: string, payload: string): boolean {
    if (!this.topics.has(topic)) return false;
    this.#listener?.message(topic, payload);
    return true;
  }

  subscribe(topic: string): Promise<void> {
    return this.#answer(() => void this.topics.add(topic));
  }

  unsubscribe(topic: string): Promise<void> {
    return this.#answer(() => void this.topics.delete(topic));
  }

  publish(topic: string, payload: string): Promise<boolean> {
    return this.#answer(() => this.#server.publish(topic, payload));
  }

  push(queue: string, payload: string, limits: QueueLimits): Promise<boolean> {
    return this.#answer(() => this.#server.push(queue, payload, limits));
  }

  pop(queue: string): Promise<string | undefined> {
    return this.#answer(() => this.#server.pop(queue));
  }

  flush(): Promise<void> {
    return this.#answer(() => this.#server.flush());
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#up = false;
    this.topics.clear();
    this.#server.leave(this);
  }

  /** Later, as with every server, and in the order of the calls. */
  async #answer<Value>(work: () => Value): Promise<Value> {
    const error = new LayerUnavailable("the broker cannot be reached");
    if (!this.#up) throw error;
    await Promise.resolve();
    if (!this.#up) throw error;
    return work();
  }
}
