import { Refused } from "./account.js";

export interface Person {
  readonly id: string;
  readonly userName: string;
  readonly name: string;
}

/** A message as the server tells it to everybody in the room, its sender included. */
export interface Message {
  readonly sender: Person;
  readonly message: string;
  /** ISO 8601. */
  readonly date: string;
}

/** Whether messages can pass, and what is done about it if they cannot. */
export type ConnectionState =
  | { readonly phase: "connecting" | "open" }
  | { readonly phase: "lost"; readonly retryInSeconds: number }
  | { readonly phase: "refused"; readonly code: number; readonly reason: string };

export interface ConnectionListener {
  /** Once per change, and once a second while a lost connection waits for its next attempt. */
  changed(state: ConnectionState): void;
  /** After each opening first the last messages of the room, again. */
  received(message: Message): void;
  /** Who is in the room, whenever that changes; nobody where it is not known. */
  attended(people: readonly Person[]): void;
  /** The server did not take what was sent. */
  rejected(why: string): void;
}

type Frame =
  | { readonly type: "newMessage"; readonly data: Message }
  | { readonly type: "presence"; readonly data: { readonly users: readonly Person[] } }
  | { readonly type: "joined" | "left"; readonly data: { readonly user: Person } }
  | { readonly type: "error"; readonly message: string }
  /** Before the close, where it was not known who is there. */
  | { readonly type: "noAuth" }
  | { readonly type: "message" };

/** Where the server means it: bad room, not logged in, forbidden, no such room. */
const finalCodes: ReadonlySet<number> = new Set([4400, 4401, 4403, 4404]);

/** Milliseconds. */
const firstDelay = 1_000;
const longestDelay = 30_000;
/** A connection that stood this long was a good one: the next loss is a first one. */
const stable = 5_000;

/**
 * Asks for what opens one WebSocket. Rejects with `Refused`: with the status 401 if one has to log in for it, otherwise
 * because it cannot be had now.
 */
export type AskForTicket = (signal: AbortSignal) => Promise<string>;

/** A place in a room of the chat, which is taken again when it is lost. */
export class ChatConnection {
  readonly #listener: ConnectionListener;
  #room = "";
  #askForTicket: AskForTicket = async () => "";
  /** Of the way to a socket, which is aborted when another is gone. */
  #attempt = new AbortController();
  #socket: WebSocket | undefined;
  /** Whether the socket's ticket was taken. */
  #known = true;
  #retry: number | undefined;
  #losses = 0;
  readonly #people = new Map<string, Person>();

  constructor(listener: ConnectionListener) {
    this.#listener = listener;
  }

  /** Leaves the room it was in, if any. The room without a name is the public one. */
  join(room: string, askForTicket: AskForTicket): void {
    this.leave();
    this.#room = room;
    this.#askForTicket = askForTicket;
    this.#losses = 0;
    void this.#connect();
  }

  leave(): void {
    this.#attempt.abort();
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#socket === undefined) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = undefined;
    this.#attend([]);
  }

  /** Cuts the wait for the next attempt short, if there is one. */
  retryNow(): void {
    if (this.#retry === undefined) return;
    clearTimeout(this.#retry);
    void this.#connect();
  }

  /** False if there is no connection to send it over. */
  send(message: string): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ type: "message", data: { message } }));
    return true;
  }

  async #connect(): Promise<void> {
    this.#retry = undefined;
    this.#listener.changed({ phase: "connecting" });
    this.#attempt = new AbortController();
    const { signal } = this.#attempt;
    try {
      const ticket = await this.#askForTicket(signal);
      if (!signal.aborted) this.#open(ticket);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (signal.aborted) return;
      if (error.status === 401) this.#listener.changed({ phase: "refused", code: 4401, reason: error.message });
      else this.#retryLater();
    }
  }

  #open(ticket: string): void {
    const path = this.#room === "" ? "/ws/chat/" : `/ws/chat/${encodeURIComponent(this.#room)}/`;
    const url = new URL(path, location.href.replace(/^http/, "ws"));
    url.searchParams.set("ticket", ticket);
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#known = true;
    let openedAt = Number.POSITIVE_INFINITY;
    socket.onopen = () => {
      openedAt = Date.now();
      this.#listener.changed({ phase: "open" });
      socket.send(JSON.stringify({ type: "presence" }));
    };
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code, reason }) => {
      this.#socket = undefined;
      this.#attend([]);
      if (Date.now() - openedAt > stable) this.#losses = 0;
      // A ticket can be too long on its way: that says nothing of the login, where the next one does.
      if (finalCodes.has(code) && this.#known) this.#listener.changed({ phase: "refused", code, reason });
      else this.#retryLater();
    };
  }

  #take(frame: Frame): void {
    if (frame.type === "newMessage") this.#listener.received(frame.data);
    else if (frame.type === "error") this.#listener.rejected(frame.message);
    else if (frame.type === "presence") this.#attend(frame.data.users);
    else if (frame.type === "joined") this.#attend([...this.#people.values(), frame.data.user]);
    else if (frame.type === "noAuth") this.#known = false;
    else if (frame.type === "left") {
      this.#people.delete(frame.data.user.id);
      this.#attend([...this.#people.values()]);
    }
  }

  #attend(people: readonly Person[]): void {
    this.#people.clear();
    for (const person of people) this.#people.set(person.id, person);
    this.#listener.attended([...this.#people.values()]);
  }

  #retryLater(): void {
    const delay = Math.min(longestDelay, firstDelay * 2 ** this.#losses++);
    // Half of it by chance, or all who lost a server would come back to it in the same moment.
    this.#waitUntil(Date.now() + delay * (0.5 + Math.random() / 2));
  }

  #waitUntil(time: number): void {
    const rest = time - Date.now();
    if (rest > 0) {
      this.#listener.changed({ phase: "lost", retryInSeconds: Math.ceil(rest / 1000) });
      this.#retry = setTimeout(() => this.#waitUntil(time), rest % 1000 || 1000);
    } else void this.#connect();
  }
}
