import type { Cancel, Clock } from "../ports/clock.js";
import type { Member, PresenceEvents } from "./member.js";

/** A user in a group, as one process has it. */
export interface Entry {
  readonly group: string;
  readonly member: Member;
}

/** Tells of a user who has come or gone. */
export type Announce = (type: keyof PresenceEvents, entry: Entry) => void;

interface Seat {
  /** What each process says of the user. Empty during the grace time. */
  readonly words: Map<string, Member>;
  /** Whose word counts, or counted last. */
  member: Member;
  cancelLeave: Cancel | undefined;
}

/**
 * Who is here, as far as this process knows: what all processes say, with one seat per user. A seat that no process
 * speaks for any more is kept for the grace time, in case the user comes back.
 */
export class Roll {
  readonly #clock: Clock;
  readonly #grace: number;
  readonly #announce: Announce;
  readonly #groups = new Map<string, Map<string, Seat>>();

  /** `grace` in milliseconds. */
  constructor(clock: Clock, grace: number, announce: Announce) {
    this.#clock = clock;
    this.#grace = grace;
    this.#announce = announce;
  }

  /** One per user, whoever came first standing first. */
  members(group: string): readonly Member[] {
    const members = [...(this.#groups.get(group)?.values() ?? [])].map((seat) => seat.member);
    return Object.freeze(members.sort((one, other) => one.since - other.since || (one.id < other.id ? -1 : 1)));
  }

  count(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  /** The member of that id. */
  find(group: string, id: string): Member | undefined {
    return this.#groups.get(group)?.get(id)?.member;
  }

  /** The users that `process` speaks for. */
  entriesOf(process: string): Entry[] {
    const entries: Entry[] = [];
    for (const [group, seats] of this.#groups) {
      for (const { words } of seats.values()) {
        const member = words.get(process);
        if (member !== undefined) entries.push({ group, member });
      }
    }
    return entries;
  }

  /** `process` says that the user is there. */
  enter(process: string, { group, member }: Entry): void {
    const seat = this.#groups.get(group)?.get(member.id);
    if (seat === undefined) {
      this.#seats(group).set(member.id, { words: new Map([[process, member]]), member, cancelLeave: undefined });
      this.#announce("presence.join", { group, member });
      return;
    }
    seat.cancelLeave?.();
    seat.words.set(process, member);
    seat.member = eldest(seat);
  }

  /** `process` does not say any more that the user is there. */
  exit(process: string, group: string, id: string): void {
    const seat = this.#groups.get(group)?.get(id);
    if (seat === undefined || !seat.words.delete(process)) return;
    if (seat.words.size > 0) seat.member = eldest(seat);
    else seat.cancelLeave = this.#clock.after(this.#grace, () => this.#leave(group, seat.member));
  }

  /** `process` speaks for these users and for no others. */
  replace(process: string, entries: readonly Entry[]): void {
    const stale = new Map(this.entriesOf(process).map((entry) => [keyOf(entry), entry]));
    for (const entry of entries) {
      stale.delete(keyOf(entry));
      this.enter(process, entry);
    }
    for (const { group, member } of stale.values()) this.exit(process, group, member.id);
  }

  /** Forgets everybody and tells nobody. */
  clear(): void {
    for (const seats of this.#groups.values()) for (const seat of seats.values()) seat.cancelLeave?.();
    this.#groups.clear();
  }

  #seats(group: string): Map<string, Seat> {
    let seats = this.#groups.get(group);
    if (seats === undefined) {
      seats = new Map();
      this.#groups.set(group, seats);
    }
    return seats;
  }

  #leave(group: string, member: Member): void {
    const seats = this.#seats(group);
    seats.delete(member.id);
    if (seats.size === 0) this.#groups.delete(group);
    this.#announce("presence.leave", { group, member });
  }
}

/** The word of the process that the user came to first: the same in all that have heard the same, in whatever order. */
function eldest({ words }: Seat): Member {
  const [, member] = [...words].reduce((one, other) => {
    const order = one[1].since - other[1].since || (one[0] < other[0] ? -1 : 1);
    return order < 0 ? one : other;
  });
  return member;
}

function keyOf({ group, member }: Entry): string {
  return JSON.stringify([group, member.id]);
}
