import type { Socket } from "node:net";
import type { Cancel, Clock } from "@sluice/core";
import type { Direction, Fault } from "./fault-plan.js";

/** One client's connection through a network, and what goes wrong on it. */
export class FaultyConnection {
  readonly client: Socket;
  readonly server: Socket;
  /** Resolves when both sides are gone. */
  readonly gone: Promise<unknown>;
  readonly #fault: Fault;
  readonly #clock: Clock;
  readonly #pending = new Set<Cancel>();
  /** What fell due while nothing went through, in its order. */
  #held: (() => void)[] = [];
  /** Sides that are not to be read from until the other has taken what it was sent. */
  readonly #ahead = new Set<Socket>();
  #frozen: boolean;
  #bytes = 0;
  #resting = false;

  constructor(client: Socket, server: Socket, fault: Fault, clock: Clock, frozen: boolean) {
    this.client = client;
    this.server = server;
    this.#fault = fault;
    this.#clock = clock;
    this.#frozen = frozen;
    const ended = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));
    this.gone = Promise.all([ended(client), ended(server)]);
    this.#carry(client, server, "toServer");
    this.#carry(server, client, "toClient");
    if (frozen) this.freeze();
  }

  /** Both sides see a connection that was reset. */
  cut(): void {
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
    this.#held = [];
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }

  freeze(): void {
    this.#frozen = true;
    this.client.pause();
    this.server.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const act of this.#held.splice(0)) act();
    this.#readOn(this.client);
    this.#readOn(this.server);
  }

  /** Unless there is a reason left not to. */
  #readOn(side: Socket): void {
    const rests = this.#resting && side === this.server;
    if (!this.#frozen && !rests && !this.#ahead.has(side)) side.resume();
  }

  #carry(from: Socket, to: Socket, direction: Direction): void {
    from.on("data", (chunk: Buffer) => this.#chunk(from, to, direction, chunk));
    from.on("end", () => {
      if (!this.#swallows(direction)) this.#later(() => to.end());
      // Nothing comes back any more that could end the other half.
      if (this.#swallows(direction === "toServer" ? "toClient" : "toServer")) from.destroy();
    });
    from.on("error", () => {
      if (!this.#swallows(direction)) to.resetAndDestroy();
    });
  }

  #chunk(from: Socket, to: Socket, direction: Direction, chunk: Buffer): void {
    const left = this.#left();
    this.#bytes += chunk.length;
    if (this.#fault.kind === "drop" && chunk.length > left) {
      to.write(chunk.subarray(0, left));
      this.cut();
      return;
    }
    if (this.#fault.kind === "halfOpen" && this.#fault.direction === direction && chunk.length > left) {
      if (left > 0) to.write(chunk.subarray(0, left));
      return;
    }
    this.#later(() => this.#write(from, to, chunk));
    if (this.#fault.kind === "slowReader" && direction === "toClient" && chunk.length > left) {
      this.#rest(this.#fault.ms);
    }
  }

  /** How many more bytes go through before the fault begins. */
  #left(): number {
    return this.#fault.kind === "none" ? Number.POSITIVE_INFINITY : Math.max(this.#fault.afterBytes - this.#bytes, 0);
  }

  #swallows(direction: Direction): boolean {
    return this.#fault.kind === "halfOpen" && this.#fault.direction === direction && this.#left() === 0;
  }

  #write(from: Socket, to: Socket, chunk: Buffer): void {
    if (to.destroyed || to.write(chunk) || this.#ahead.has(from)) return;
    this.#ahead.add(from);
    from.pause();
    to.once("drain", () => {
      this.#ahead.delete(from);
      this.#readOn(from);
    });
  }

  /** At once, or late on a connection that delays: always by the same time, so that nothing is overtaken. */
  #later(act: () => void): void {
    if (this.#fault.kind !== "delay" || this.#left() > 0) act();
    else this.#after(this.#fault.ms, () => (this.#frozen ? void this.#held.push(act) : act()));
  }

  #rest(ms: number): void {
    this.#resting = true;
    this.server.pause();
    this.#after(ms, () => {
      this.#resting = false;
      this.#readOn(this.server);
    });
  }

  #after(ms: number, act: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#pending.delete(cancel);
      act();
    });
    this.#pending.add(cancel);
  }
}
