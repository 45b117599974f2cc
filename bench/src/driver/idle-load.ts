import { groupPath } from "../servers/site.js";
import { present } from "./among-load.js";
import { HandshakeLoad } from "./handshake-load.js";
import type { Load, Outcome, Visit } from "./load.js";

/** Connections that come and go first, so that what is loaded and compiled once is not counted. */
const before = 300;

/** Lets users come who say nothing. They stay. */
export class IdleLoad implements Load {
  readonly #visit: Visit;
  #lost = 0;

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  async prepare(): Promise<void> {
    const first = new HandshakeLoad({ ...this.#visit, units: before }, groupPath("before"));
    await first.prepare();
    await first.run();
    await first.finish();
  }

  async run(): Promise<void> {
    this.#lost = await this.#visit.crowd.become(present(this.#visit.at));
  }

  async finish(): Promise<Outcome> {
    return { units: this.#visit.at, lost: this.#lost };
  }
}
