import type { App, MaybePromise, Protocol, Receive, ReceiveEvent, Send } from "@sluice/core";
import { type Failure, inWords } from "./failures.js";

/** Looks at one run of an application from outside, for errors that say what it was doing. */
export class ApplicationWatch {
  /** Resolves when the application has returned or failed. */
  readonly done: Promise<void>;
  /** What it threw, a refusal too. */
  thrown: Failure | undefined;
  /**
   * True once a verb that waited for this run has rejected. The end of the block then says no more about it if it does
   * not return: of two errors, test runners show the second and hide the first.
   */
  told = false;
  #state: "not called" | "running" | "over" = "not called";
  #waiting = false;
  #last: string | undefined;
  readonly #sent = new Map<string, number>();
  #finish!: () => void;

  constructor() {
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  get running(): boolean {
    return this.#state === "running";
  }

  /** The application, observed; to be called once. */
  wrap<P extends Protocol, Needs extends object>(app: App<P, Needs>): App<P, Needs> {
    return (scope, receive, send) => {
      this.#state = "running";
      let result: MaybePromise<void>;
      try {
        result = app(scope, this.#receive(receive), this.#send(send));
      } catch (error) {
        this.#failed(error);
        throw error;
      }
      if (result instanceof Promise) result.then(this.#over, this.#failed);
      else this.#over();
      return result;
    };
  }

  /** What the application is doing and has sent. */
  facts(): string {
    const sent = [...this.#sent].map(([type, count]) => (count === 1 ? `"${type}"` : `${count} of "${type}"`));
    return `${this.#doing()}; it has sent ${sent.length === 0 ? "nothing" : sent.join(", ")}`;
  }

  #doing(): string {
    if (this.#state === "not called") return "the application has not been called";
    if (this.thrown !== undefined) return `the application has thrown: ${inWords(this.thrown.error)}`;
    if (this.#state === "over") return "the application has returned";
    if (this.#waiting) return "the application is waiting in receive()";
    return this.#last === undefined
      ? "the application has not called receive() yet"
      : `the application is still at work on "${this.#last}"`;
  }

  #receive<P extends Protocol>(receive: Receive<P>): Receive<P> {
    const wait = (): void => {
      this.#waiting = true;
    };
    const goOn = (): void => {
      this.#waiting = false;
    };
    const got = (event: ReceiveEvent<P>): void => {
      this.#waiting = false;
      this.#last = event.type;
    };
    const pull = (): Promise<ReceiveEvent<P>> => {
      wait();
      const event = receive();
      event.then(got, goOn);
      return event;
    };
    const pipe: Receive<P>["pipe"] = (sink) => {
      wait();
      return receive.pipe((event) => {
        got(event);
        const handled = sink(event);
        if (handled instanceof Promise) handled.then(wait, goOn);
        else wait();
        return handled;
      });
    };
    return Object.assign(pull, { pipe });
  }

  #send<P extends Protocol>(send: Send<P>): Send<P> {
    return (event) => {
      const sent = send(event);
      this.#sent.set(event.type, (this.#sent.get(event.type) ?? 0) + 1);
      return sent;
    };
  }

  readonly #over = (): void => {
    this.#state = "over";
    this.#finish();
  };

  readonly #failed = (error: unknown): void => {
    this.thrown = { error };
    this.#over();
  };
}
