import { RawWebSocket } from "../checks/raw-web-socket.js";
import { within } from "../soak/within.js";
import { say, type Told, welcome } from "./words.js";

export interface MemberOptions {
  readonly port: number;
  readonly path: string;
  readonly listener: (told: Told, arrival: number) => void;
}

/** A client of a check. */
export class Member {
  /** How the connection ended, which it is not to do. */
  readonly ended: Promise<string>;
  readonly #path: string;
  readonly #socket: RawWebSocket;
  readonly #welcomed: Promise<string>;

  constructor({ port, path, listener }: MemberOptions) {
    this.#path = path;
    let welcomed = (_channel: string): void => {};
    this.#welcomed = new Promise((resolve) => {
      welcomed = resolve;
    });
    this.#socket = new RawWebSocket({
      port,
      path,
      onText: (text, arrival) => {
        if (text.startsWith(welcome)) welcomed(text.slice(welcome.length));
        else listener(JSON.parse(text) as Told, arrival);
      },
    });
    this.ended = this.#socket.closing.then(({ how }) => how);
  }

  /** Resolves with the name of the consumer's channel once that is in its groups. */
  join(): Promise<string> {
    const ended = this.ended.then((end): never => {
      throw new Error(`expected to be welcomed at ${this.#path}, got the end (${end})`);
    });
    return within(Promise.race([this.#welcomed, ended]), `a welcome at ${this.#path}`);
  }

  /** All of it in one write. */
  say(numbers: readonly number[]): void {
    this.#socket.say(numbers.map((number) => say + number));
  }
}
