import type { Cancel, Clock } from "../ports/clock.js";
import type { Ask, Tell } from "./revocation.js";

/** How many connections there are of each login. */
export type Tally = ReadonlyMap<string, number>;

/** Milliseconds that the other processes have for their answers. */
const patience = 250;

export interface RollCallOptions {
  readonly clock: Clock;
  /** Milliseconds between two beats of a process. */
  readonly beatEvery: number;
}

interface Call {
  readonly tally: Map<string, number>;
  /** The processes that have yet to answer; undefined where nobody knows which there are. */
  readonly awaited: Set<string> | undefined;
  finish(): void;
}

/**
 * Asks the other processes for the connections of a user. Nobody keeps account of what the others have, which would cost each
 * connection a message: it is asked for when somebody wants to know, and those are few. Whoever has not answered in a quarter
 * second is left out. The beats of the others tell which there are, so that the last answer ends the wait.
 */
export class RollCall {
  readonly #clock: Clock;
  readonly #beatEvery: number;
  /** When each of the others was heard last, in milliseconds since 1970. */
  readonly #peers = new Map<string, number>();
  readonly #calls = new Map<number, Call>();
  #asked = 0;

  constructor({ clock, beatEvery }: RollCallOptions) {
    this.#clock = clock;
    this.#beatEvery = beatEvery;
  }

  /** Another process has said something. */
  heard(from: string): void {
    this.#peers.set(from, this.#clock.now());
  }

  /**
   * Adds what the others have to `own`. `listeningSince` is from when on nothing that they say was missed. Never rejects: what
   * `ask` cannot send is answered by nobody.
   */
  call(
    own: Tally,
    listeningSince: number,
    ask: (question: Pick<Ask, "type" | "ask">) => Promise<void>,
  ): Promise<Tally> {
    const awaited = this.#others(listeningSince);
    if (awaited?.size === 0) return Promise.resolve(own);
    const id = ++this.#asked;
    const tally = new Map(own);
    return new Promise((resolve) => {
      let cancel: Cancel = () => {};
      const finish = (): void => {
        cancel();
        if (this.#calls.delete(id)) resolve(tally);
      };
      cancel = this.#clock.after(patience, finish);
      this.#calls.set(id, { tally, awaited, finish });
      ask({ type: "lease.ask", ask: id }).catch(finish);
    });
  }

  /** An answer has come. One that is late, or comes twice, changes nothing. */
  answered({ from, ask, logins }: Tell): void {
    const call = this.#calls.get(ask);
    if (call === undefined || call.awaited?.delete(from) === false) return;
    for (const [login, count] of Object.entries(logins)) call.tally.set(login, (call.tally.get(login) ?? 0) + count);
    if (call.awaited?.size === 0) call.finish();
  }

  /** Ends the waits that are under way, with what has come. */
  close(): void {
    for (const call of this.#calls.values()) call.finish();
  }

  /** Who has been heard lately. Not known before everybody has had the time to be. */
  #others(listeningSince: number): Set<string> | undefined {
    const lately = this.#clock.now() - 2.5 * this.#beatEvery;
    for (const [peer, at] of this.#peers) if (at < lately) this.#peers.delete(peer);
    return listeningSince <= lately ? new Set(this.#peers.keys()) : undefined;
  }
}
