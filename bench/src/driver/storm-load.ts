import { groupPath } from "../servers/site.js";
import { ExactAnswer } from "./answer.js";
import { arrival, arriveInSilence, textFrames } from "./arrival.js";
import { Connection } from "./connection.js";
import { inParallel } from "./in-parallel.js";
import type { Load, Outcome, Visit } from "./load.js";
import { Losses } from "./losses.js";
import { message } from "./messages.js";

/** How many come back at a time. */
const width = 256;

const groupSize = 10;

/** How many groups talk at a time, when it is over. */
const talking = 8;

interface Client {
  readonly token: string;
  readonly group: string;
  connection?: Connection;
}

/** Members of groups of ten, whose connections are all cut at once, and who all come back with the tokens they have. */
export class StormLoad implements Load {
  readonly #visit: Visit;
  readonly #losses: Losses;
  #clients: readonly Client[] = [];

  constructor(visit: Visit) {
    this.#visit = visit;
    this.#losses = new Losses(Math.max(3, visit.units / 50));
  }

  async prepare(): Promise<void> {
    this.#clients = await Promise.all(
      Array.from({ length: this.#visit.units }, async (_, index) => ({
        token: await this.#visit.tokens.fresh(),
        group: `storm-${Math.floor(index / groupSize)}`,
      })),
    );
    await this.#come();
  }

  async run(): Promise<void> {
    for (const { connection } of this.#clients) connection?.cut();
    await this.#come();
  }

  async finish(): Promise<Outcome> {
    const groups = new Map<string, Connection[]>();
    await inParallel(this.#clients, width, async ({ group, connection }) => {
      if (connection === undefined || !(await this.#losses.bear(() => connection.probe()))) return;
      groups.set(group, [...(groups.get(group) ?? []), connection]);
    });
    await inParallel(groups, talking, ([group, members]) => this.#talk(group, members));
    for (const { connection } of this.#clients) connection?.cut();
    return { units: this.#visit.units, lost: this.#losses.count };
  }

  #come(): Promise<void> {
    const { port, dialect } = this.#visit;
    return inParallel(this.#clients, width, async (client) => {
      const coming = arrival(dialect, groupPath(client.group), client.token);
      client.connection = await Connection.open(port);
      await arriveInSilence(client.connection, coming);
    });
  }

  /** Who is back is a member again. */
  async #talk(group: string, members: readonly Connection[]): Promise<void> {
    const { said, heard } = textFrames(this.#visit.dialect, groupPath(group), message(0));
    const deliveries = members.map((member) => member.hear(new ExactAnswer("a message after the storm", heard)));
    members[0]?.say(said);
    await Promise.all(deliveries);
  }
}
