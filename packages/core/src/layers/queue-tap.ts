import type { LayerMessage } from "../ports/channel-layer.js";
import type { Logger } from "../ports/logger.js";
import { parsedMessage } from "./plain-message.js";

export interface QueueTapOptions {
  /** Takes the oldest payload out of the queue. */
  pop(): Promise<string | undefined>;
  /** What `work` resolves with, or a rejection when it takes too long. */
  answered<Value>(work: Promise<Value>): Promise<Value>;
  /** Called when an answer comes for which the time was up: with the payload that the next `take()` gets, if there is one. */
  readonly late: (payload: string | undefined) => void;
  readonly logger: Logger;
}

/**
 * Where one reader draws on a broker's queue. It has one question under way at most, and an answer that comes after its time
 * is the answer to the next: a message that was taken out is in no other place any more.
 */
export class QueueTap {
  readonly #options: QueueTapOptions;
  #popping: Promise<string | undefined> | undefined;

  constructor(options: QueueTapOptions) {
    this.#options = options;
  }

  /** Rejects if the queue cannot be reached. What no layer has put into it is logged and left out. */
  async take(): Promise<LayerMessage | undefined> {
    for (;;) {
      const old = this.#popping !== undefined;
      const payload = await this.#pop();
      if (payload === undefined) {
        // Something may have come since that was asked.
        if (old) continue;
        return undefined;
      }
      try {
        return parsedMessage(payload);
      } catch (error) {
        this.#options.logger.warn({ err: error }, "a named channel held something that no layer has sent");
      }
    }
  }

  async #pop(): Promise<string | undefined> {
    this.#popping ??= this.#begin();
    const popping = this.#popping;
    try {
      const payload = await this.#options.answered(popping);
      this.#popping = undefined;
      return payload;
    } catch (error) {
      // For one that has failed itself there is nothing to come.
      if (this.#popping === popping) popping.then(this.#options.late).catch(() => {});
      throw error;
    }
  }

  #begin(): Promise<string | undefined> {
    const popping = this.#options.pop();
    popping.catch(() => {
      this.#popping = undefined;
    });
    return popping;
  }
}
