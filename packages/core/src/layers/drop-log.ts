import type { Cancel, Clock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";

/** Milliseconds between two lines. */
const pause = 1_000;

/** Writes of dropped messages to a log: at most once per second, however many there are. */
export class DropLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #untold = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  add(count: number): void {
    if (count === 0) return;
    this.#untold += count;
    this.#cancel ??= this.#clock.after(pause, () => this.#tell());
  }

  /** Writes at once what it has yet to write. */
  close(): void {
    this.#cancel?.();
    if (this.#untold > 0) this.#tell();
  }

  #tell(): void {
    this.#cancel = undefined;
    this.#logger.warn({ dropped: this.#untold }, "messages were dropped: their channels were full");
    this.#untold = 0;
  }
}
