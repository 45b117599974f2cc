import type { Broker } from "../ports/broker.js";

interface Subscription {
  /** Settles when the broker has answered. */
  answered: Promise<void>;
  confirmed: boolean;
}

/** The topics that this process wants to hear, whether the broker can be reached or not. */
export class Subscriptions {
  readonly #broker: Pick<Broker, "subscribe" | "unsubscribe">;
  readonly #topics = new Map<string, Subscription>();

  constructor(broker: Pick<Broker, "subscribe" | "unsubscribe">) {
    this.#broker = broker;
  }

  /** True if whatever is published to the topic from now on arrives. */
  confirmed(topic: string): boolean {
    return this.#topics.get(topic)?.confirmed ?? false;
  }

  /** Resolves when the topic is heard; rejects if the broker says that it cannot be, and then forgets it. */
  async add(topic: string): Promise<void> {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known.answered;
    const subscription = this.#ask(topic);
    try {
      await subscription.answered;
    } catch (error) {
      if (this.#topics.get(topic) === subscription) this.#topics.delete(topic);
      throw error;
    }
  }

  remove(topic: string): void {
    if (!this.#topics.delete(topic)) return;
    // Where it fails there is no subscription any more, or the next message finds nobody.
    this.#broker.unsubscribe(topic).catch(() => {});
  }

  /** The broker has forgotten everything, or cannot be reached. */
  lost(): void {
    for (const subscription of this.#topics.values()) subscription.confirmed = false;
  }

  /** Subscribes to everything again. Rejects if one of the topics could not be. */
  async restore(): Promise<void> {
    await Promise.all([...this.#topics.keys()].map((topic) => this.#ask(topic).answered));
  }

  #ask(topic: string): Subscription {
    const subscription: Subscription = { answered: this.#broker.subscribe(topic), confirmed: false };
    this.#topics.set(topic, subscription);
    subscription.answered.then(
      () => {
        subscription.confirmed = true;
      },
      () => {},
    );
    return subscription;
  }
}
