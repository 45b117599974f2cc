import type { LayerGap } from "@sluice/core";
import { type Findings, type Miss, tellMiss } from "./findings.js";
import type { Seat } from "./seating.js";
import type { Answered, Gap, Heard } from "./words.js";

/** What a socket has heard of one sender. */
interface Heardings {
  readonly numbers: Set<number>;
  highest: number;
}

interface NotedGap extends Gap {
  readonly arrival: number;
  /** By sender: the highest number that had been heard when the gap was told. */
  readonly heardUpTo: ReadonlyMap<number, number>;
}

interface Listener {
  readonly seat: Seat;
  readonly heard: Map<number, Heardings>;
  readonly gaps: NotedGap[];
}

/** Milliseconds by which the two clocks that a gap is told with may differ: `since` comes from the one that people set. */
const clockSlack = 100;

/** How many misdeeds of a run are kept with their words. */
const keptExamples = 5;

/** Keeps the accounts of a run: what was said, what became of it, and who heard what. */
export class Ledger {
  /** Milliseconds from publish to delivery, where those were in two processes. */
  readonly latencies: number[] = [];
  readonly #listeners: readonly Listener[];
  /** By sender, then by number; undefined until it is known what became of it. */
  readonly #said = new Map<number, (Answered | undefined)[]>();
  readonly #rejections: { readonly began: number; readonly ended: number }[] = [];
  readonly #gaps: Record<LayerGap["reason"], number> = { unavailable: 0, full: 0, expired: 0 };
  readonly #examples: string[] = [];
  #spoken = 0;
  #confirmed = 0;
  #heard = 0;
  #twice = 0;
  #disordered = 0;
  #strayed = 0;

  constructor(seats: readonly Seat[]) {
    this.#listeners = seats.map((seat) => ({ seat, heard: new Map(), gaps: [] }));
    for (const { socket, speaks } of seats) if (speaks) this.#said.set(socket, []);
  }

  get counts(): { said: number; confirmed: number; rejected: number; heard: number } {
    return {
      said: this.#spoken,
      confirmed: this.#confirmed,
      rejected: this.#rejections.length,
      heard: this.#heard,
    };
  }

  /** Notes that a sender is about to say something, and returns the number of it. */
  say(sender: number): number {
    this.#spoken++;
    return (this.#said.get(sender)?.push(undefined) ?? 0) - 1;
  }

  answered(sender: number, answer: Answered): void {
    const said = this.#said.get(sender);
    if (said === undefined || answer.number >= said.length || said[answer.number] !== undefined) {
      throw new Error(`expected one answer for each thing that ${sender} has said, got one more for ${answer.number}`);
    }
    said[answer.number] = answer;
    if (answer.done) this.#confirmed++;
    else this.#rejections.push(answer);
  }

  heard(socket: number, { sender, number, at }: Heard, arrival: number): void {
    const listener = this.#listenerAt(socket);
    const from = this.#listenerAt(sender).seat;
    const said = this.#said.get(sender);
    if (from.group !== listener.seat.group || said === undefined || number >= said.length) {
      this.#strayed++;
      this.#note(`socket ${socket} heard ${number} of ${sender}, which nobody has said in its group`);
      return;
    }
    const heardings = listener.heard.get(sender) ?? { numbers: new Set(), highest: -1 };
    listener.heard.set(sender, heardings);
    if (heardings.numbers.has(number)) {
      this.#twice++;
      this.#note(`socket ${socket} heard ${number} of ${sender} twice`);
      return;
    }
    if (number < heardings.highest) {
      this.#disordered++;
      this.#note(`socket ${socket} heard ${number} of ${sender} after ${heardings.highest}`);
    }
    heardings.numbers.add(number);
    heardings.highest = Math.max(heardings.highest, number);
    this.#heard++;
    if (from.server !== listener.seat.server) this.latencies.push(arrival - at);
  }

  gap(socket: number, gap: Gap, arrival: number): void {
    const { heard, gaps } = this.#listenerAt(socket);
    const heardUpTo = new Map([...heard].map(([sender, { highest }]) => [sender, highest]));
    gaps.push({ ...gap, arrival, heardUpTo });
    this.#gaps[gap.reason]++;
  }

  /** What there is to say of it all by now. */
  findings(): Findings {
    const misses = [...this.#misses()];
    const lost = misses.filter(({ fate }) => fate === "lost");
    const confirmedAndHeard = this.#pairs((answer, heard) => answer?.done === true && heard);
    return {
      ...this.counts,
      hung: this.#spoken - this.#confirmed - this.#rejections.length,
      deliveries: confirmedAndHeard,
      lost: lost.length,
      reported: misses.length - lost.length,
      reportedLate: misses.filter(({ fate }) => fate === "reported late").length,
      twice: this.#twice,
      disordered: this.#disordered,
      strayed: this.#strayed,
      heardThoughRejected: this.#pairs((answer, heard) => answer?.done === false && heard),
      gaps: { ...this.#gaps },
      rejections: this.#rejections.map(({ began, ended }) => ({ began, ended })),
      examples: [...this.#examples, ...lost.slice(0, keptExamples).map(tellMiss)],
    };
  }

  /** What was confirmed and not heard. */
  *#misses(): Iterable<Miss> {
    for (const { listener, sender, number, answer } of this.#eachPair()) {
      if (answer?.done !== true || listener.heard.get(sender)?.numbers.has(number)) continue;
      yield { socket: listener.seat.socket, sender, number, fate: fateOf(answer, sender, listener.gaps) };
    }
  }

  #pairs(counts: (answer: Answered | undefined, heard: boolean) => boolean): number {
    let sum = 0;
    for (const { listener, sender, number, answer } of this.#eachPair()) {
      if (counts(answer, listener.heard.get(sender)?.numbers.has(number) ?? false)) sum++;
    }
    return sum;
  }

  /** Everything said, with everybody who is to hear it. */
  *#eachPair(): Iterable<{ listener: Listener; sender: number; number: number; answer: Answered | undefined }> {
    for (const [sender, said] of this.#said) {
      const { group } = this.#listenerAt(sender).seat;
      const listeners = this.#listeners.filter(({ seat }) => seat.group === group);
      for (const [number, answer] of said.entries()) {
        for (const listener of listeners) yield { listener, sender, number, answer };
      }
    }
  }

  #listenerAt(socket: number): Listener {
    const listener = this.#listeners[socket];
    if (listener === undefined) throw new RangeError(`expected a socket that there is, got ${socket}`);
    return listener;
  }

  #note(example: string): void {
    if (this.#examples.length < keptExamples) this.#examples.push(example);
  }
}

/** A gap reports a miss if the two overlap in time; in time, if nothing that was said later had been heard by then. */
function fateOf({ number, began, ended }: Answered, sender: number, gaps: readonly NotedGap[]): Miss["fate"] {
  const reports = gaps.filter(({ since, arrival }) => since <= ended + clockSlack && arrival >= began);
  if (reports.length === 0) return "lost";
  return reports.some(({ heardUpTo }) => (heardUpTo.get(sender) ?? -1) < number) ? "reported" : "reported late";
}
