import { type Seating, seating } from "./crowd.js";
import type { Load, Outcome, Visit } from "./load.js";

/** Users who are there and say nothing: each a member of a group of its own. */
export function present(users: number): Seating {
  return seating(users, 1, "present");
}

/** Does another load with that many users present. */
export class AmongLoad implements Load {
  readonly #visit: Visit;
  readonly #load: Load;
  #lost = 0;

  constructor(visit: Visit, load: Load) {
    this.#visit = visit;
    this.#load = load;
  }

  async prepare(): Promise<void> {
    this.#lost = await this.#visit.crowd.become(present(this.#visit.at));
    await this.#load.prepare();
  }

  run(): Promise<void> {
    return this.#load.run();
  }

  async finish(): Promise<Outcome> {
    const outcome = await this.#load.finish();
    return { ...outcome, lost: outcome.lost + this.#lost };
  }
}
