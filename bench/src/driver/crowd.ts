import { groupPath } from "../servers/site.js";
import { type Arrival, arrival, arriveInSilence } from "./arrival.js";
import { Connection } from "./connection.js";
import { inParallel } from "./in-parallel.js";
import { Losses } from "./losses.js";
import type { Server } from "./server.js";

/** How many arrive at a time. */
const width = 64;

/** How many members each group is to have, by its name. */
export type Seating = ReadonlyMap<string, number>;

/** Groups of one size. */
export function seating(groups: number, members: number, name = "group"): Seating {
  return new Map(Array.from({ length: groups }, (_, index) => [`${name}-${index}`, members]));
}

/** Users who are there for longer than one load takes: each with a WebSocket, as a member of one group. */
export class Crowd {
  readonly #server: Server;
  readonly #groups = new Map<string, Connection[]>();

  constructor(server: Server) {
    this.#server = server;
  }

  /** Who is in a group. */
  group(name: string): readonly Connection[] {
    return this.#groups.get(name) ?? [];
  }

  /** Lets some come and some go, until the groups are these. Resolves with how many the server has closed unasked meanwhile. */
  async become(wanted: Seating): Promise<number> {
    for (const [name, members] of this.#groups) {
      for (const member of members.splice(wanted.get(name) ?? 0)) member.cut();
      if (members.length === 0) this.#groups.delete(name);
    }
    const coming = [...wanted].flatMap(([name, size]) =>
      Array.from({ length: size - this.group(name).length }, () => name),
    );
    const losses = new Losses(Math.max(3, coming.length / 100));
    await inParallel(coming, width, async (name) => {
      const member = await this.#arrival(name, losses);
      const members = this.#groups.get(name);
      if (members === undefined) this.#groups.set(name, [member]);
      else members.push(member);
    });
    return losses.count;
  }

  async #arrival(group: string, losses: Losses): Promise<Connection> {
    for (;;) {
      const connection = await Connection.open(this.#server.port);
      await arriveInSilence(connection, await this.#coming(group));
      if (await losses.bear(() => connection.probe())) return connection;
    }
  }

  async #coming(group: string): Promise<Arrival> {
    return arrival(this.#server.dialect, groupPath(group), await this.#server.tokens.fresh());
  }
}
