import type { Closing } from "../checks/raw-web-socket.js";
import { type Spread, spreadOf } from "../measure/percentile.js";
import { closeCode, reason } from "./words.js";

/** Milliseconds after the answer to a revocation in which its sockets have to be closed. */
export const patience = 5_000;

/** How many examples of what should not have happened are kept. */
const kept = 5;

/** A socket: which token it came with, and where it is connected. */
export interface Holder {
  readonly socket: number;
  readonly token: number;
  readonly server: number;
}

/** One socket on each server for each token. */
export function holders(sockets: number, servers: number): readonly Holder[] {
  return Array.from({ length: sockets }, (_, socket) => ({
    socket,
    token: Math.floor(socket / servers),
    server: socket % servers,
  }));
}

/** The call that revokes a token. Moments are those of `now()`. */
interface Call {
  /** The server that was asked. */
  readonly server: number;
  readonly began: number;
  answered: number | undefined;
}

/** What the clients of a run have seen. */
export interface Findings {
  /** Tokens of which the revocation was answered. */
  readonly revoked: number;
  /** Sockets that were closed as they should be. */
  readonly closed: number;
  /** Of these, how many before the answer had come, which count as 0. */
  readonly early: number;
  /** Sockets of a token whose revocation was answered that stayed open, or closed after `patience`. */
  readonly late: number;
  /** Sockets that were closed in another way than by 4401 and the reason. */
  readonly wrong: number;
  /** Sockets that were closed though nobody had asked for it yet. */
  readonly strayed: number;
  /** From the answer to the close frame, of all that were closed as they should be, however late. */
  readonly fromAnswer: Spread | undefined;
  /** From when the call began. */
  readonly fromCall: Spread | undefined;
  /** As `fromAnswer`, of those that were not on the server that was asked. */
  readonly elsewhere: Spread | undefined;
  /** Of what should not have happened. */
  readonly examples: readonly string[];
}

/** Which sockets were closed by which revocation, and when. */
export class Closures {
  readonly #holders: readonly Holder[];
  readonly #calls = new Map<number, Call>();
  readonly #closings = new Map<number, Closing>();

  constructor(holders: readonly Holder[]) {
    this.#holders = holders;
  }

  called(token: number, server: number, at: number): void {
    this.#calls.set(token, { server, began: at, answered: undefined });
  }

  answered(token: number, at: number): void {
    const call = this.#calls.get(token);
    if (call !== undefined) call.answered = at;
  }

  closed(socket: number, closing: Closing): void {
    this.#closings.set(socket, closing);
  }

  /** How many sockets have been closed, however. */
  get size(): number {
    return this.#closings.size;
  }

  findings(): Findings {
    const counts = { closed: 0, early: 0, late: 0, wrong: 0, strayed: 0 };
    const examples: string[] = [];
    const [fromAnswer, fromCall, elsewhere]: [number[], number[], number[]] = [[], [], []];
    const bad = (what: "late" | "wrong" | "strayed", { socket, token, server }: Holder, how: string): void => {
      counts[what]++;
      if (examples.length < kept) examples.push(`socket ${socket} of token ${token} on server ${server} ${how}`);
    };
    for (const holder of this.#holders) {
      const call = this.#calls.get(holder.token);
      const closing = this.#closings.get(holder.socket);
      if (closing === undefined) {
        if (call?.answered !== undefined) bad("late", holder, "was not closed");
      } else if (call === undefined || closing.at < call.began) {
        bad("strayed", holder, `ended: ${closing.how}`);
      } else if (closing.code !== closeCode || closing.reason !== reason) {
        bad("wrong", holder, `ended: ${`${closing.how} ${closing.reason}`.trimEnd()}`);
      } else if (call.answered !== undefined) {
        const took = Math.max(closing.at - call.answered, 0);
        counts.closed++;
        if (closing.at < call.answered) counts.early++;
        if (took > patience) bad("late", holder, `was closed after ${took.toFixed(0)} ms`);
        fromAnswer.push(took);
        fromCall.push(closing.at - call.began);
        if (holder.server !== call.server) elsewhere.push(took);
      }
    }
    return {
      revoked: [...this.#calls.values()].filter(({ answered }) => answered !== undefined).length,
      ...counts,
      fromAnswer: spreadOf(fromAnswer),
      fromCall: spreadOf(fromCall),
      elsewhere: spreadOf(elsewhere),
      examples,
    };
  }
}
