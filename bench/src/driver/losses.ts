import { ConnectionLost } from "./connection.js";

/**
 * Counts the WebSockets that a server closes unasked after a good 101, and bears a few of them: uWebSockets.js releases
 * without the fix of mid-2026 do that now and then to one that was upgraded corked and in a later tick.
 */
export class Losses {
  readonly #limit: number;
  #count = 0;

  /** `limit` is how many are borne. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves with false if the server closed the connection meanwhile. Rejects with every other failure, and above the limit. */
  async bear(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      this.#count++;
      if (this.#count <= this.#limit) return false;
      throw new Error(`${this.#count} WebSockets were lost, the last one so: ${error.message}`, { cause: error });
    }
  }
}
