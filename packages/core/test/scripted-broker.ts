import type { Broker, BrokerListener, QueueLimits } from "../src/ports/broker.js";

/** Stands between a layer and its broker: `call` does what was asked. */
export type Script = <Value>(call: string, ask: () => Promise<Value>) => Promise<Value>;

/** What never answers. */
export const never: Promise<never> = new Promise(() => {});

/** A broker whose calls are written down, and go as a test has them go. */
export class ScriptedBroker implements Broker {
  /** In order, as in `publish group:room`. */
  readonly calls: string[] = [];
  script: Script = (_call, ask) => ask();
  listener: BrokerListener | undefined;
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Calls that begin with one of these are never answered, nor do they get anywhere. */
  swallow(...beginnings: readonly string[]): void {
    this.script = (call, ask) => (beginnings.some((beginning) => call.startsWith(beginning)) ? never : ask());
  }

  /** Calls that begin with `beginning` take effect, but their answers come when the function is called that this returns. */
  holdAnswers(beginning: string): () => void {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.script = async (call, ask) => {
      const answer = await ask();
      if (call.startsWith(beginning)) await released;
      return answer;
    };
    return release;
  }

  /** Calls that begin with `beginning` reject. */
  refuse(beginning: string, error: Error): void {
    this.script = (call, ask) => (call.startsWith(beginning) ? Promise.reject(error) : ask());
  }

  connect(listener: BrokerListener): void {
    this.listener = listener;
    this.#broker.connect(listener);
  }

  subscribe(topic: string): Promise<void> {
    return this.#run(`subscribe ${topic}`, () => this.#broker.subscribe(topic));
  }

  unsubscribe(topic: string): Promise<void> {
    return this.#run(`unsubscribe ${topic}`, () => this.#broker.unsubscribe(topic));
  }

  publish(topic: string, payload: string): Promise<boolean> {
    return this.#run(`publish ${topic}`, () => this.#broker.publish(topic, payload));
  }

  push(queue: string, payload: string, limits: QueueLimits): Promise<boolean> {
    return this.#run(`push ${queue}`, () => this.#broker.push(queue, payload, limits));
  }

  pop(queue: string): Promise<string | undefined> {
    return this.#run(`pop ${queue}`, () => this.#broker.pop(queue));
  }

  flush(): Promise<void> {
    return this.#run("flush", () => this.#broker.flush());
  }

  close(): Promise<void> {
    return this.#run("close", () => this.#broker.close());
  }

  #run<Value>(call: string, ask: () => Promise<Value>): Promise<Value> {
    this.calls.push(call);
    return this.script(call, ask);
  }
}
