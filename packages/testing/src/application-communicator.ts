import type { App, Protocol, Receive, ReceiveEvent, Scope, SendEvent } from "@sluice/core";
import { Outbox } from "./outbox.js";

/**
 * Calls an application with nothing around it: a test hands it events and takes what it sends. For middleware and for
 * applications of one's own; what no transport would do can be done with it too.
 */
export class ApplicationCommunicator<P extends Protocol> {
  readonly #inputs = new Outbox<ReceiveEvent<P>>();
  readonly #outputs = new Outbox<SendEvent<P>>();
  readonly #running: Promise<void>;
  readonly #timeout: number;

  constructor(app: App<P>, scope: Scope<P>, options: { readonly timeout?: number } = {}) {
    this.#timeout = options.timeout ?? 1_000;
    const receive: Receive<P> = Object.assign(() => this.#nextInput(), {
      pipe: async (sink: Parameters<Receive<P>["pipe"]>[0]): Promise<void> => {
        let event: ReceiveEvent<P>;
        do {
          event = await this.#nextInput();
          await sink(event);
        } while (!event.type.endsWith(".disconnect") && event.type !== "lifespan.shutdown");
      },
    });
    const run = async (): Promise<void> => app(scope, receive, (event) => this.#outputs.put(event));
    this.#running = run();
    this.#running.then(
      () => this.#outputs.end(() => new Error("expected an event, but the application has returned")),
      (cause: unknown) =>
        this.#outputs.end(() => new Error("expected an event, but the application failed", { cause })),
    );
  }

  sendInput(event: ReceiveEvent<P>): void {
    this.#inputs.put(event);
  }

  /** The next event the application sends. Rejects with the application's own error as the cause if it fails instead. */
  receiveOutput(): Promise<SendEvent<P>> {
    return this.#outputs.take("the application to send an event", this.#timeout);
  }

  /** True if nothing comes within `ms` milliseconds of real time. */
  receiveNothing(ms = 50): Promise<boolean> {
    return this.#outputs.staysEmpty(ms);
  }

  /** Settles as the application does. */
  wait(): Promise<void> {
    return this.#running;
  }

  #nextInput(): Promise<ReceiveEvent<P>> {
    return this.#inputs.take("the test to send an event in");
  }
}
