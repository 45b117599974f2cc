/**
 * What a server between processes supplies to make a channel layer of it: publish and subscribe, and shared queues.
 * `BrokeredChannelLayer` does the rest.
 */

/** What a broker tells the layer. Nothing here throws. */
export interface BrokerListener {
  /** Somebody has published to a topic this process subscribes to. In the order of publishing. */
  message(topic: string, payload: string): void;
  /** The broker can be reached, for the first time or again. No subscription is left from before. */
  connected(): void;
  /**
   * The broker cannot be reached any more; `since` is the last moment at which it surely could, in milliseconds since 1970.
   * It goes on trying to reconnect, with back-off and jitter.
   */
  disconnected(cause: unknown, since: number): void;
}

export interface QueueLimits {
  /** Messages that the queue may hold. */
  readonly capacity: number;
  /** Milliseconds a message may wait, by the broker's own clock. */
  readonly expiry: number;
}

/**
 * Topics and queues on a server that several processes share. Topics and names of queues are ASCII, shorter than 110 and
 * without spaces; payloads are any text.
 *
 * Calls take effect in the order they are made in, without waiting for one another. While the server cannot be reached
 * they reject at once, and what is under way when it goes rejects: nothing is kept for later and nothing is sent twice. What
 * it rejects with is a `LayerUnavailable`, with the driver's error as its cause.
 */
export interface Broker {
  /** Begins to connect, and to keep connected. Called once, before everything else. */
  connect(listener: BrokerListener): void;
  /** Resolves when what is published from now on will arrive. */
  subscribe(topic: string): Promise<void>;
  unsubscribe(topic: string): Promise<void>;
  /** False where the server knows that nobody subscribes to the topic. This process hears itself, too. */
  publish(topic: string, payload: string): Promise<boolean>;
  /** Puts something at the end of a queue; false if that is full. */
  push(queue: string, payload: string, limits: QueueLimits): Promise<boolean>;
  /** Takes the oldest out of a queue that has not expired; undefined if there is none. */
  pop(queue: string): Promise<string | undefined>;
  /** Forgets every queue. */
  flush(): Promise<void>;
  /** Gives back what it holds. What is under way rejects, and its listener hears nothing any more. */
  close(): Promise<void>;
}
