import {
  type App,
  ClientDisconnected,
  type Protocol,
  type Receive,
  type ReceiveEvent,
  type Scope,
  type SendEvent,
} from "@sluice/core";
import { ApplicationWatch } from "./application-watch.js";
import { inWords } from "./failures.js";
import { Outbox } from "./outbox.js";
import { within } from "./within.js";

/**
 * Calls an application with nothing around it: a test hands it events and takes what it sends. For middleware and for
 * applications of one's own; what no transport would do can be done with it too.
 *
 * @example
 * await using communicator = new ApplicationCommunicator(middleware(inner), httpScope({ path: "/" }));
 * communicator.sendInput({ type: "http.request", body: new Uint8Array(), moreBody: false });
 * expect(await communicator.receiveOutput()).toMatchObject({ type: "http.response.start", status: 200 });
 */
export class ApplicationCommunicator<P extends Protocol, Needs extends object = {}> implements AsyncDisposable {
  readonly #inputs = new Outbox<ReceiveEvent<P>>();
  readonly #outputs = new Outbox<SendEvent<P>>();
  readonly #watch = new ApplicationWatch();
  readonly #running: Promise<void>;
  readonly #timeout: number;
  #left: ClientDisconnected | undefined;
  #told = false;

  /** `timeout` in milliseconds of real time, 1,000 if left out. */
  constructor(app: App<P, Needs>, scope: Scope<P> & NoInfer<Needs>, options: { readonly timeout?: number } = {}) {
    this.#timeout = options.timeout ?? 1_000;
    const receive: Receive<P> = Object.assign(() => this.#nextInput(), {
      pipe: async (sink: Parameters<Receive<P>["pipe"]>[0]): Promise<void> => {
        let event: ReceiveEvent<P>;
        do {
          event = await this.#nextInput();
          await sink(event);
        } while (!isLast(event));
      },
    });
    const watched = this.#watch.wrap(app);
    const run = async (): Promise<void> => watched(scope, receive, (event) => this.#outputs.put(event));
    this.#running = run();
    this.#running.then(
      () => this.#outputs.end("the application has returned"),
      (error: unknown) => this.#outputs.end(`the application failed: ${inWords(error)}`, error),
    );
  }

  sendInput(event: ReceiveEvent<P>): void {
    this.#inputs.put(event);
  }

  /** The next event the application sends. Rejects with the application's own error as the cause if it fails instead. */
  async receiveOutput(timeout: number = this.#timeout): Promise<SendEvent<P>> {
    const facts = (): string => this.#watch.facts();
    try {
      return await this.#outputs.take({ expected: "an event from the application", timeout, facts });
    } catch (error) {
      this.#told ||= this.#watch.thrown !== undefined;
      throw error;
    }
  }

  /** True if nothing comes within `ms` milliseconds of real time. */
  receiveNothing(ms = 50): Promise<boolean> {
    return this.#outputs.staysEmpty(ms);
  }

  /** Settles as the application does. Rejects if it does not in time. */
  async wait(timeout: number = this.#timeout): Promise<void> {
    this.#told = true;
    if (await within(timeout, this.#running)) return;
    throw new Error(`expected the application to return within ${timeout} ms; ${this.#watch.facts()}`);
  }

  /**
   * Tells an application that still runs that nothing more comes, by `ClientDisconnected`, and resolves when it has
   * returned. Rejects with what it failed with, unless the test has been told.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const told = this.#told;
    this.#left = new ClientDisconnected("the test is over");
    this.#inputs.end(this.#left.message);
    try {
      await this.wait();
    } catch (error) {
      if (this.#watch.running || (!told && error !== this.#left)) throw error;
    }
  }

  async #nextInput(): Promise<ReceiveEvent<P>> {
    try {
      return await this.#inputs.take({ expected: "the test to send an event in" });
    } catch (error) {
      throw this.#left ?? error;
    }
  }
}

function isLast({ type }: ReceiveEvent): boolean {
  return type.endsWith(".disconnect") || type === "lifespan.shutdown" || type === "channel.receive";
}
