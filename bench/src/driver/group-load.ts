import { groupPath } from "../servers/site.js";
import { ExactAnswer } from "./answer.js";
import { textFrames } from "./arrival.js";
import type { Seating } from "./crowd.js";
import type { Load, Outcome, Visit } from "./load.js";
import { message } from "./messages.js";

/** One member of each group says something, all members hear it, and then the next is said. A unit is what one member hears. */
export class GroupLoad implements Load {
  readonly #visit: Visit;
  readonly #groups: Seating;
  readonly #present: Seating;
  readonly #deliveries: number;
  readonly #passes: number;
  #lost = 0;

  /** `present` are further groups, in which nobody speaks. The units are rounded up to what all groups hear of one message. */
  constructor(visit: Visit, groups: Seating, present: Seating = new Map()) {
    this.#visit = visit;
    this.#groups = groups;
    this.#present = present;
    this.#deliveries = [...groups.values()].reduce((sum, size) => sum + size, 0);
    this.#passes = Math.ceil(visit.units / this.#deliveries);
  }

  async prepare(): Promise<void> {
    this.#lost = await this.#visit.crowd.become(new Map([...this.#present, ...this.#groups]));
    await this.#pass(0);
  }

  async run(): Promise<void> {
    for (let number = 1; number <= this.#passes; number++) await this.#pass(number);
  }

  async finish(): Promise<Outcome> {
    return { units: this.#passes * this.#deliveries, lost: this.#lost };
  }

  /** One message in each group. */
  async #pass(number: number): Promise<void> {
    const deliveries: Promise<void>[] = [];
    const speakers: (() => void)[] = [];
    for (const name of this.#groups.keys()) {
      const { said, heard } = textFrames(this.#visit.dialect, groupPath(name), message(number));
      const members = this.#visit.crowd.group(name);
      speakers.push(() => members[0]?.say(said));
      for (const member of members) {
        deliveries.push(member.hear(new ExactAnswer(`message ${number} of the group ${name}`, heard)));
      }
    }
    for (const speaker of speakers) speaker();
    await Promise.all(deliveries);
  }
}
