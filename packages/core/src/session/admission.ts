import type { Clock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import type { Address } from "../scope.js";
import type { Counts } from "./counts.js";
import type { Limits } from "./limits.js";
import { refusal } from "./refusal.js";
import { sharedAddress } from "./shared-address.js";

/** Milliseconds from one line in the log to the next about the same limit, however many are refused meanwhile. */
const logInterval = 1_000;

type Bound = "maxConnections" | "maxConnectionsPerAddress" | "maxHandshakesPerSecond";

export interface AdmissionContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly counts: Counts;
}

/** Keeps the number of connections in bounds: by refusing what is too much, before an application has any work with it. */
export class Admission {
  readonly #context: AdmissionContext;
  readonly #addresses = new Map<object, string>();
  readonly #perAddress = new Map<string, number>();
  /** A bucket of one second's handshakes, of which each takes one out. */
  #handshakesLeft: number;
  #filledAt: number;
  readonly #lines = new Map<Bound, { readonly loggedAt: number; unlogged: number }>();

  constructor(context: AdmissionContext) {
    this.#context = context;
    this.#handshakesLeft = context.limits.maxHandshakesPerSecond;
    this.#filledAt = context.clock.now();
  }

  /** Throws `DenyConnection` unless there is room beside `open` other connections. */
  checkRoom(open: number): void {
    const { maxConnections } = this.#context.limits;
    if (maxConnections > 0 && open >= maxConnections) this.#refuse("maxConnections");
  }

  /** Throws `DenyConnection` for one too many from its address, or in its second. To be followed by `release`. */
  admit(connection: object, client: Address | undefined, isHandshake: boolean): void {
    const { maxConnectionsPerAddress, maxHandshakesPerSecond } = this.#context.limits;
    const address = maxConnectionsPerAddress > 0 && client !== undefined ? sharedAddress(client.host) : undefined;
    const fromAddress = address === undefined ? 0 : (this.#perAddress.get(address) ?? 0);
    if (address !== undefined && fromAddress >= maxConnectionsPerAddress) this.#refuse("maxConnectionsPerAddress");
    if (isHandshake && maxHandshakesPerSecond > 0 && !this.#takeHandshake(maxHandshakesPerSecond)) {
      this.#refuse("maxHandshakesPerSecond");
    }
    if (address === undefined) return;
    this.#perAddress.set(address, fromAddress + 1);
    this.#addresses.set(connection, address);
  }

  release(connection: object): void {
    const address = this.#addresses.get(connection);
    if (address === undefined) return;
    this.#addresses.delete(connection);
    const left = (this.#perAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }

  /** How many addresses are being counted. */
  get addresses(): number {
    return this.#perAddress.size;
  }

  #takeHandshake(perSecond: number): boolean {
    const now = this.#context.clock.now();
    // A clock that was set back must not take anything away.
    const since = Math.max(0, now - this.#filledAt);
    this.#handshakesLeft = Math.min(perSecond, this.#handshakesLeft + (since * perSecond) / 1_000);
    this.#filledAt = now;
    if (this.#handshakesLeft < 1) return false;
    this.#handshakesLeft -= 1;
    return true;
  }

  /** The connection stays open: to make a new one would cost both sides more than to ask again on this one. */
  #refuse(limit: Bound): never {
    this.#context.counts.refused += 1;
    const now = this.#context.clock.now();
    const line = this.#lines.get(limit);
    if (line !== undefined && Math.abs(now - line.loggedAt) < logInterval) line.unlogged += 1;
    else {
      this.#lines.set(limit, { loggedAt: now, unlogged: 0 });
      const refused = (line?.unlogged ?? 0) + 1;
      this.#context.logger.warn({ limit, refused }, "beyond a limit: refused with 503");
    }
    throw refusal(503, "Service Unavailable", [["retry-after", "1"]]);
  }
}
