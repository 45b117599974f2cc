import type { Cancel } from "../ports/clock.js";
import type { SessionContext } from "./session-context.js";
import type { WebSocketSession } from "./websocket-session.js";

/**
 * Ends WebSockets that have reached the maximum lifetime. As all have the same and the set has them in the order of their
 * opening, one timer is enough: it stands for the oldest.
 */
export class Lifetimes {
  readonly #sessions: ReadonlySet<WebSocketSession>;
  readonly #context: Pick<SessionContext<WebSocketSession>, "clock" | "limits">;
  #cancel: Cancel | undefined;

  constructor(
    sessions: ReadonlySet<WebSocketSession>,
    context: Pick<SessionContext<WebSocketSession>, "clock" | "limits">,
  ) {
    this.#sessions = sessions;
    this.#context = context;
  }

  /** To be called after each opening. */
  watch(): void {
    if (this.#cancel === undefined && this.#context.limits.maxLifetime > 0)
      this.#wait(this.#context.limits.maxLifetime);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(ms: number): void {
    this.#cancel = this.#context.clock.after(ms, () => {
      this.#cancel = undefined;
      const next = this.#expire();
      if (next < Number.POSITIVE_INFINITY) this.#wait(next);
    });
  }

  /** Returns in how many milliseconds to look again. */
  #expire(): number {
    const { clock, limits } = this.#context;
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const session of this.#sessions) {
      const left = session.openedAt + limits.maxLifetime - now;
      // Where the clock was set back, more would be left than a lifetime, and more than a timer can wait.
      if (left > 0) return Math.min(next, left, limits.maxLifetime);
      // By then a handshake has been accepted or refused.
      if (!session.expire()) next = limits.handshakeTimeout;
    }
    return next;
  }
}
