import { pause } from "../measure/now.js";
import { groupPath } from "../servers/site.js";
import { FrameReader } from "../soak/frame-reader.js";
import { arrival, arrive, textFrames } from "./arrival.js";
import { answerTimeLimit, Connection, ConnectionLost } from "./connection.js";
import { opcode } from "./frame.js";
import type { Load, Outcome, Visit } from "./load.js";
import { Losses } from "./losses.js";
import { message } from "./messages.js";

const path = groupPath("jitter");

/** Milliseconds between two messages. */
const interval = 50;

/** Each client is cut this often, and is away for so much of the time between two cuts: 2 s of 15 s, where a run takes 30 s. */
const cuts = 2;
const away = 2 / 15;

/** One member of a group whose connection is cut from time to time, and which hears everything that is said while it is there. */
class Listener {
  readonly #visit: Visit;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #losses: Losses;
  #connection: Connection | undefined;
  /** Of all connections, and of this one. */
  #heard = 0;
  #last: number | undefined;

  constructor(visit: Visit, numbers: ReadonlyMap<string, number>, losses: Losses) {
    this.#visit = visit;
    this.#numbers = numbers;
    this.#losses = losses;
  }

  get heard(): number {
    return this.#heard;
  }

  /** Whether it has heard the message, or cannot as it was lost. */
  hasHeard(number: number): boolean {
    return this.#last === number || this.#connection?.fault !== undefined;
  }

  async come(): Promise<void> {
    const { port, dialect, tokens } = this.#visit;
    const connection = await Connection.open(port);
    const frames = new FrameReader((code, payload) => this.#hear(code, payload.toString()));
    this.#last = undefined;
    connection.follow((chunk) => frames.take(chunk));
    frames.take(await arrive(connection, arrival(dialect, path, await tokens.fresh())));
    this.#connection = connection;
  }

  /** Rejects if the connection was over before. */
  async leave(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await this.#losses.bear(async () => {
      if (connection?.fault !== undefined) throw this.#fateOf(connection.fault);
    });
    connection?.cut();
  }

  /** Right after its 101 a WebSocket may be lost, later it may not. */
  #fateOf(fault: Error): Error {
    return fault instanceof ConnectionLost && this.#last !== undefined ? new Error(fault.message) : fault;
  }

  #hear(code: number, text: string): void {
    const number = this.#numbers.get(this.#visit.dialect.hear?.(text, path) ?? text);
    if (code !== opcode.text || number === undefined) {
      throw new Error(
        `expected a message of the group, got a frame of opcode ${code}: ${JSON.stringify(text.slice(0, 200))}`,
      );
    }
    if (this.#last !== undefined && number !== this.#last + 1) {
      throw new Error(
        `expected message ${this.#last + 1} of the group, as the connection was there all the time, got ${number}`,
      );
    }
    this.#last = number;
    this.#heard++;
  }
}

/** A steady publish to a group whose members are cut off again and again. A unit is what one member hears. */
export class JitterLoad implements Load {
  readonly #visit: Visit;
  /** By the messages. */
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #losses: Losses;
  readonly #listeners: readonly Listener[];
  #speaker: Connection | undefined;

  /** `visit.units` is how many messages are said, `visit.at` how many members there are. */
  constructor(visit: Visit) {
    this.#visit = visit;
    this.#losses = new Losses(Math.max(3, (visit.at * cuts) / 50));
    this.#numbers = new Map(Array.from({ length: visit.units + 1 }, (_, number) => [message(number), number]));
    this.#listeners = Array.from({ length: visit.at }, () => new Listener(visit, this.#numbers, this.#losses));
  }

  async prepare(): Promise<void> {
    const { port, dialect, tokens } = this.#visit;
    for (const listener of this.#listeners) await listener.come();
    this.#speaker = await Connection.open(port);
    this.#speaker.follow(() => {});
    await arrive(this.#speaker, arrival(dialect, path, await tokens.fresh()));
  }

  async run(): Promise<void> {
    const period = (this.#visit.units * interval) / cuts;
    const lives = this.#listeners.map((listener, index) =>
      this.#live(listener, period, (period * index) / this.#listeners.length),
    );
    await Promise.all([this.#speak(), ...lives]);
    await this.#end();
  }

  async finish(): Promise<Outcome> {
    const units = this.#listeners.reduce((sum, { heard }) => sum + heard, 0);
    for (const listener of this.#listeners) await listener.leave();
    const { fault } = this.#speaker ?? {};
    if (fault !== undefined) throw fault;
    this.#speaker?.cut();
    return { units, lost: this.#losses.count, share: units / (this.#numbers.size * this.#listeners.length) };
  }

  async #speak(): Promise<void> {
    const start = performance.now();
    for (let number = 0; number < this.#visit.units; number++) {
      await until(start + number * interval);
      this.#say(number);
    }
  }

  #say(number: number): void {
    this.#speaker?.say(textFrames(this.#visit.dialect, path, message(number)).said);
  }

  /** Is cut at its moment of every period, and comes back. */
  async #live(listener: Listener, period: number, phase: number): Promise<void> {
    const start = performance.now();
    for (let cut = 0; cut < cuts; cut++) {
      await until(start + cut * period + phase);
      await listener.leave();
      await pause(period * away);
      await listener.come();
    }
  }

  /** All are back, and all have to hear the last message. */
  async #end(): Promise<void> {
    const last = this.#visit.units;
    this.#say(last);
    const deadline = performance.now() + answerTimeLimit;
    while (!this.#listeners.every((listener) => listener.hasHeard(last))) {
      if (performance.now() > deadline)
        throw new Error(`expected message ${last} of the group within ${answerTimeLimit} ms`);
      await pause(5);
    }
  }
}

/** A moment of `performance.now()`, which may be over. */
function until(moment: number): Promise<void> {
  return pause(Math.max(0, moment - performance.now()));
}
