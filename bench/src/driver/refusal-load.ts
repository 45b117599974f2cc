import { inParallel } from "./in-parallel.js";
import type { Load, Outcome, Visit } from "./load.js";
import { beRefused, ofBadToken, ofForeignOrigin, type Refused } from "./refusal.js";

/** How many are under way at a time. */
const width = 32;

/** Connects and is refused, each time on a new connection: for its origin or for its token. */
export class RefusalLoad implements Load {
  readonly #visit: Visit;
  readonly #reason: "origin" | "token";
  #refused: readonly Refused[] = [];

  constructor(visit: Visit, reason: "origin" | "token") {
    this.#visit = visit;
    this.#reason = reason;
  }

  async prepare(): Promise<void> {
    this.#refused = await Promise.all(Array.from({ length: this.#visit.units }, () => this.#next()));
  }

  run(): Promise<void> {
    return inParallel(this.#refused, width, (refused) => beRefused(this.#visit.port, refused));
  }

  async finish(): Promise<Outcome> {
    return { units: this.#visit.units, lost: 0 };
  }

  async #next(): Promise<Refused> {
    const { dialect, tokens } = this.#visit;
    if (this.#reason === "origin") return ofForeignOrigin(dialect, await tokens.fresh());
    return ofBadToken(dialect, await tokens.forged(), "a forged token");
  }
}
