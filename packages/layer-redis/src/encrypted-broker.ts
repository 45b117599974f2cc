import {
  type Broker,
  type BrokerListener,
  LayerUnavailable,
  type Logger,
  type QueueLimits,
  silentLogger,
} from "@sluice/core";
import { PayloadCipher } from "./payload-cipher.js";

export interface EncryptedBrokerOptions {
  /** Secrets of at least 32 bytes: the first encrypts, all of them decrypt. */
  readonly keys: ReadonlyArray<string | Uint8Array>;
  /** Told of payloads that no key decrypts. */
  readonly logger?: Logger;
}

/** Milliseconds between two lines about payloads that were dropped. */
const pause = 1_000;

/**
 * A broker whose payloads its server cannot read, nor change, nor move to another topic or queue: around any other broker.
 * What cannot be decrypted is dropped and logged. Topics and names of queues stay readable.
 */
export class EncryptedBroker implements Broker {
  readonly #broker: Broker;
  readonly #cipher: PayloadCipher;
  readonly #logger: Logger;
  /** Changes with every connection and every loss of one. */
  #connection = 0;
  /** Encryption takes a moment, not always the same: calls wait in line, and so does what arrives. */
  #calls: Promise<unknown> = Promise.resolve();
  #arrivals: Promise<unknown> = Promise.resolve();
  #untoldDrops = 0;
  #toldAt = 0;

  /** Throws `ConfigurationError` for a key that is too short. */
  constructor(broker: Broker, { keys, logger = silentLogger }: EncryptedBrokerOptions) {
    this.#broker = broker;
    this.#cipher = new PayloadCipher(keys);
    this.#logger = logger;
  }

  connect(listener: BrokerListener): void {
    this.#broker.connect({
      message: (topic, payload) => {
        const opened = this.#cipher.decrypt(payload, `topic ${topic}`);
        this.#arrive(async () => {
          const text = await opened;
          if (text === undefined) this.#tellOfDrop();
          else listener.message(topic, text);
        });
      },
      connected: () => {
        this.#connection++;
        this.#arrive(() => listener.connected());
      },
      disconnected: (cause, since) => {
        this.#connection++;
        this.#arrive(() => listener.disconnected(cause, since));
      },
    });
  }

  subscribe(topic: string): Promise<void> {
    return this.#inTurn(() => this.#broker.subscribe(topic));
  }

  unsubscribe(topic: string): Promise<void> {
    return this.#inTurn(() => this.#broker.unsubscribe(topic));
  }

  publish(topic: string, payload: string): Promise<boolean> {
    const sealed = this.#cipher.encrypt(payload, `topic ${topic}`);
    return this.#inTurn((text) => this.#broker.publish(topic, text), sealed);
  }

  push(queue: string, payload: string, limits: QueueLimits): Promise<boolean> {
    const sealed = this.#cipher.encrypt(payload, `queue ${queue}`);
    return this.#inTurn((text) => this.#broker.push(queue, text, limits), sealed);
  }

  async pop(queue: string): Promise<string | undefined> {
    for (;;) {
      const payload = await this.#inTurn(() => this.#broker.pop(queue));
      if (payload === undefined) return undefined;
      const text = await this.#cipher.decrypt(payload, `queue ${queue}`);
      if (text !== undefined) return text;
      this.#tellOfDrop();
    }
  }

  flush(): Promise<void> {
    return this.#inTurn(() => this.#broker.flush());
  }

  close(): Promise<void> {
    this.#connection++;
    return this.#broker.close();
  }

  /** Makes a call of the broker after all calls before it, unless the connection has changed by then. */
  #inTurn<Reply>(call: (text: string) => Promise<Reply>, sealed: Promise<string> = nothing): Promise<Reply> {
    const connection = this.#connection;
    const before = this.#calls;
    const turn = (async () => {
      await before;
      const text = await sealed;
      if (connection !== this.#connection) throw new LayerUnavailable("the connection was lost");
      // In an object: the next call waits for this one to be made, not to be answered.
      return { answer: call(text) };
    })();
    this.#calls = turn.catch(() => {});
    return turn.then(({ answer }) => answer);
  }

  #arrive(work: () => unknown): void {
    this.#arrivals = this.#arrivals.then(work);
  }

  #tellOfDrop(): void {
    this.#untoldDrops++;
    if (Date.now() - this.#toldAt < pause) return;
    this.#logger.warn(
      { dropped: this.#untoldDrops },
      "messages were dropped that no encryption key of this process fits",
    );
    this.#toldAt = Date.now();
    this.#untoldDrops = 0;
  }
}

const nothing = Promise.resolve("");
