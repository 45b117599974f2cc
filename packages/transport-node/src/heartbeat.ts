import type { Cancel, Clock } from "@sluice/core";

/** A connection whose client has to show now and then that it is there. */
export interface Beating {
  /** Grows with every byte that comes in. */
  readonly bytesRead: number;
  /** True while nothing is read, so that silence says nothing about the client. */
  readonly isPaused: boolean;
  ping(): void;
  /** The client is gone. */
  cut(): void;
}

interface Pulse {
  bytesRead: number;
  heardAt: number;
  pinged: boolean;
}

/** Milliseconds between two visits. */
const interval = 1_000;

/**
 * Pings clients that have been silent for long, and cuts those that answer nothing. One timer visits all connections, so
 * that a connection costs none of its own, nor anything per message.
 */
export class Heartbeat {
  readonly #clock: Clock;
  /** Milliseconds of silence before a ping, and before the end. */
  readonly #pingAfter: number;
  readonly #cutAfter: number;
  readonly #pulses = new Map<Beating, Pulse>();
  #cancel: Cancel | undefined;

  /** `idleTimeout` in seconds, or 0 for never. */
  constructor(clock: Clock, idleTimeout: number) {
    this.#clock = clock;
    this.#cutAfter = idleTimeout * 1_000;
    this.#pingAfter = (idleTimeout - answerTime(idleTimeout)) * 1_000;
  }

  add(connection: Beating): void {
    if (this.#cutAfter === 0) return;
    this.#pulses.set(connection, { bytesRead: connection.bytesRead, heardAt: this.#clock.now(), pinged: false });
    this.#cancel ??= this.#clock.after(interval, this.#visit);
  }

  delete(connection: Beating): void {
    this.#pulses.delete(connection);
    if (this.#pulses.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #visit = (): void => {
    this.#cancel = undefined;
    const now = this.#clock.now();
    for (const [connection, pulse] of this.#pulses) {
      const { bytesRead } = connection;
      const silence = now - pulse.heardAt;
      if (bytesRead !== pulse.bytesRead || connection.isPaused) {
        pulse.bytesRead = bytesRead;
        pulse.heardAt = now;
        pulse.pinged = false;
      } else if (silence >= this.#cutAfter) {
        connection.cut();
      } else if (silence >= this.#pingAfter && !pulse.pinged) {
        pulse.pinged = true;
        connection.ping();
      }
    }
    // A connection that came in between may have begun the next round.
    if (this.#pulses.size > 0) this.#cancel ??= this.#clock.after(interval, this.#visit);
  };
}

/** Seconds that a client has to answer a ping: 4, doubled up to 16 while that leaves at least as much before it. */
function answerTime(idleTimeout: number): number {
  let margin = 4;
  while (idleTimeout - margin * 2 >= margin * 2 && margin < 16) margin *= 2;
  return margin;
}
