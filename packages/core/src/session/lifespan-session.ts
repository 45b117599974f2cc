import type { App, ReceiveEvent, SendEvent } from "../app.js";
import { ProtocolError } from "../errors.js";
import type { State } from "../scope.js";
import { Inbox } from "./inbox.js";
import { createReceive } from "./receive.js";

type Phase = "startup" | "shutdown";

/** The application's own beginning and end, around all its connections. */
export class LifespanSession {
  /** What the application left for its connections. */
  readonly state: State = {};
  readonly #inbox = new Inbox<ReceiveEvent<"lifespan">>({ maxEvents: 2, maxWeight: 0 });
  #waiting: { phase: Phase; resolve(): void; reject(error: unknown): void } | undefined;
  #running = false;
  /** What the application failed with while nobody waited for it. */
  #failure: { readonly error: unknown } | undefined;

  /** Resolves when the application is ready; rejects with why it is not. */
  startup(app: App<"lifespan">): Promise<void> {
    this.#running = true;
    const ready = this.#wait("startup");
    this.#inbox.push({ type: "lifespan.startup" });
    // An async call turns what the application throws at once into a rejection.
    const run = async (): Promise<void> =>
      app({ type: "lifespan", state: this.state }, createReceive(this.#inbox), this.#send);
    run().then(
      () => this.#returned(),
      (error: unknown) => this.#returned(error),
    );
    return ready;
  }

  /** Resolves when the application has put its things away; rejects with what went wrong. */
  shutdown(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (!this.#running) return Promise.resolve();
    const done = this.#wait("shutdown");
    this.#inbox.end({ type: "lifespan.shutdown" });
    return done;
  }

  #wait(phase: Phase): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { phase, resolve, reject };
    });
  }

  /** An application that returns without an answer does not care about its lifespan; one that throws does. */
  #returned(error?: unknown): void {
    this.#running = false;
    this.#inbox.discard();
    if (error === undefined) this.#waiting?.resolve();
    else if (this.#waiting === undefined) this.#failure = { error };
    else this.#waiting.reject(error);
    this.#waiting = undefined;
  }

  readonly #send = (event: SendEvent<"lifespan">): void => {
    const waiting = this.#waiting;
    if (waiting === undefined || !event.type.startsWith(`lifespan.${waiting.phase}.`)) {
      throw new ProtocolError(
        `expected ${waiting === undefined ? "nothing" : `"lifespan.${waiting.phase}.complete" or ".failed"`}, got "${event.type}"`,
      );
    }
    this.#waiting = undefined;
    if (event.type === "lifespan.startup.failed" || event.type === "lifespan.shutdown.failed") {
      waiting.reject(new Error(event.message ?? `the application's ${waiting.phase} failed`));
    } else {
      waiting.resolve();
    }
  };
}
