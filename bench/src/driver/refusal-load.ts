import type { Connection } from "./connection.js";
import { inParallel } from "./in-parallel.js";
import type { Load, Outcome, Visit } from "./load.js";
import { beRefused, ofBadToken, ofForeignOrigin, type Refused } from "./refusal.js";

/** How many are under way at a time. */
const width = 32;

/**
 * Connects and is refused, each time on a new connection: for its origin or for its token. The connections stay until the end, as those
 * do that are accepted, unless the server ends them.
 */
export class RefusalLoad implements Load {
  readonly #visit: Visit;
  readonly #reason: "origin" | "token";
  #refused: readonly Refused[] = [];
  readonly #connections: Connection[] = [];

  constructor(visit: Visit, reason: "origin" | "token") {
    this.#visit = visit;
    this.#reason = reason;
  }

  async prepare(): Promise<void> {
    this.#refused = await Promise.all(Array.from({ length: this.#visit.units }, () => this.#next()));
  }

  run(): Promise<void> {
    return inParallel(this.#refused, width, async (refused) => {
      this.#connections.push(await beRefused(this.#visit.port, refused));
    });
  }

  async finish(): Promise<Outcome> {
    for (const connection of this.#connections.splice(0)) connection.destroy();
    return { units: this.#visit.units, lost: 0 };
  }

  async #next(): Promise<Refused> {
    const { dialect, tokens } = this.#visit;
    if (this.#reason === "origin") return ofForeignOrigin(dialect, await tokens.fresh());
    return ofBadToken(dialect, await tokens.forged(), "a forged token");
  }
}
