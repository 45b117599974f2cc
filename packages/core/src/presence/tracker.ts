import { processName } from "../layers/process-name.js";
import type { ChannelLayer } from "../ports/channel-layer.js";
import type { Clock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import { Exchange } from "./exchange.js";
import type { Member } from "./member.js";
import { type Announce, Roll } from "./roll.js";

export interface TrackerOptions {
  /** Milliseconds. */
  readonly grace: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Somebody as a connection brings them. */
export type Visitor = Omit<Member, "since">;

interface Watch {
  /** The group of the layer in which this process tells of joins and leaves. */
  readonly events: string;
  connections: number;
}

/** Counts the connections of this process, and joins what it has to what the other processes have. */
export class Tracker {
  /** Names this process among all others. */
  readonly #id = processName();
  readonly #clock: Clock;
  readonly #roll: Roll;
  readonly #exchange: Exchange;
  /** Groups that connections of this process look at. Nobody else need be told of joins and leaves. */
  readonly #watched = new Map<string, Watch>();
  /** How many connections of this process a user has in a group. */
  readonly #connections = new Map<string, number>();
  #groups = 0;

  constructor(layer: ChannelLayer, { grace, clock, logger }: TrackerOptions) {
    this.#clock = clock;
    const announce: Announce = (type, entry) => {
      const watch = this.#watched.get(entry.group);
      if (watch !== undefined) this.#exchange.publish(watch.events, { type, ...entry });
    };
    this.#roll = new Roll(clock, grace, announce);
    this.#exchange = new Exchange(this.#id, this.#roll, layer, clock, logger);
  }

  members(group: string): readonly Member[] {
    this.#exchange.start();
    return this.#roll.members(group);
  }

  count(group: string): number {
    this.#exchange.start();
    return this.#roll.count(group);
  }

  /** A connection wants to hear of the group, until `unwatch`. Returns where. */
  watch(group: string): string {
    this.#exchange.start();
    let watch = this.#watched.get(group);
    if (watch === undefined) {
      // Numbered, so that the name of the group may be of any length and in any letters.
      watch = { events: `presence.${this.#id}.${this.#groups++}`, connections: 0 };
      this.#watched.set(group, watch);
    }
    watch.connections++;
    return watch.events;
  }

  unwatch(group: string): void {
    const watch = this.#watched.get(group);
    if (watch !== undefined && --watch.connections === 0) this.#watched.delete(group);
  }

  /** A connection of the user is there, until `exit`. */
  enter(group: string, visitor: Visitor): void {
    const key = JSON.stringify([group, visitor.id]);
    const connections = this.#connections.get(key) ?? 0;
    this.#connections.set(key, connections + 1);
    if (connections > 0) return;
    // Who is here already, by another process or in the grace time, has been so from then on: all processes agree on it.
    const since = this.#roll.find(group, visitor.id)?.since ?? this.#clock.now();
    this.#exchange.enter({ group, member: Object.freeze({ ...visitor, since }) });
  }

  exit(group: string, id: string): void {
    const key = JSON.stringify([group, id]);
    const connections = this.#connections.get(key);
    if (connections !== undefined && connections > 1) {
      this.#connections.set(key, connections - 1);
      return;
    }
    this.#connections.delete(key);
    this.#exchange.exit(group, id);
  }

  async close(): Promise<void> {
    this.#roll.clear();
    await this.#exchange.close();
  }
}
