import { inParallel } from "../driver/in-parallel.js";
import { now } from "../measure/now.js";
import { Crossings } from "./crossings.js";
import { Ledger } from "./ledger.js";
import { Member, type MemberOptions } from "./member.js";
import { type Hall, type Seat, seating } from "./seating.js";
import { memberPath, stuckPath, type Told } from "./words.js";

export interface CrowdOptions extends Omit<Hall, "servers"> {
  /** One for each server. */
  readonly ports: readonly number[];
}

/** How many join at one time. */
const width = 20;

/** How many things a speaker says at once, so that several of its publishes are under way. */
const breath = 3;

/** Milliseconds between two looks at what is to be said. */
const tick = 20;

/** What is made up for at once, in milliseconds, when a tick was late: no more, or a slow machine would make bursts. */
const longestBacklog = 100;

/** All clients of a check. */
export class Crowd {
  readonly ledger: Ledger;
  readonly crossings: Crossings;
  /** How connections have ended that were not to end. */
  readonly ends: string[] = [];
  readonly #options: CrowdOptions;
  readonly #seats: readonly Seat[];
  readonly #members: Member[] = [];
  #talking = false;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#seats = seating({ ...options, servers: options.ports.length });
    this.ledger = new Ledger(this.#seats);
    this.crossings = new Crossings(options.ports.length);
  }

  get talking(): boolean {
    return this.#talking;
  }

  /** Resolves when everybody is a member, with the channels of those that are stuck, one on each server. */
  async join(): Promise<readonly string[]> {
    const { ports, groups } = this.#options;
    await inParallel(this.#seats, width, async (seat) => {
      const { socket, group, server } = seat;
      const path = memberPath(group, socket);
      const member = this.#enter(server, path, `socket ${socket}`, (told, arrival) => this.#told(seat, told, arrival));
      this.#members[socket] = member;
      await member.join();
    });
    return Promise.all(
      ports.map((_, server) => this.#enter(server, stuckPath(groups), "one that is stuck", () => {}).join()),
    );
  }

  /** Lets speakers talk in turn, `rate` times a second, for as long as `goesOn` says. */
  talk(rate: number, goesOn: () => boolean): void {
    const speakers = this.#seats.filter(({ speaks }) => speaks);
    let owed = 0;
    let before = now();
    let turn = 0;
    this.#talking = true;
    const timer = setInterval(() => {
      const late = Math.min(now() - before, longestBacklog);
      before = now();
      for (owed += (late * rate) / 1000; owed >= breath && goesOn(); owed -= breath) {
        this.#speak(speakers[turn++ % speakers.length]?.socket ?? 0);
      }
      if (goesOn()) return;
      this.#talking = false;
      clearInterval(timer);
    }, tick);
  }

  #speak(socket: number): void {
    this.#members[socket]?.say(Array.from({ length: breath }, () => this.ledger.say(socket)));
  }

  #enter(server: number, path: string, name: string, listener: MemberOptions["listener"]): Member {
    const member = new Member({ port: this.#options.ports[server] ?? 0, path, listener });
    void member.ended.then((how) => this.ends.push(`${name} on server ${server} ended: ${how}`));
    return member;
  }

  #told({ socket, server }: Seat, told: Told, arrival: number): void {
    if (told.kind === "answered") this.ledger.answered(socket, told);
    else if (told.kind === "gap") this.ledger.gap(socket, told, arrival);
    else {
      this.ledger.heard(socket, told, arrival);
      const from = this.#seats[told.sender]?.server ?? -1;
      this.crossings.note({ from, to: server, at: told.at, arrival });
    }
  }
}
