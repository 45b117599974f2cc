import { longestTimer as longest } from "../ports/clock.js";
import { checkRange } from "./check-range.js";

/** Bounds that a session keeps for its connection, each with a safe default. */
export interface Limits {
  /** Milliseconds an application may take to accept or refuse a WebSocket: 504 after it. */
  readonly handshakeTimeout: number;
  /**
   * Milliseconds an application may take to begin an HTTP response (503 after it), and between two pieces of one that
   * has begun (the connection is cut). 0 means for ever.
   */
  readonly httpTimeout: number;
  /**
   * Milliseconds a WebSocket client may take nothing of what waits for it: close 1013, at the latest after twice that. 0
   * means for ever.
   */
  readonly sendTimeout: number;
  /** Milliseconds from a WebSocket's handshake to its close with 4408. 0 means for ever. */
  readonly maxLifetime: number;
  /** Bytes in one WebSocket message: close 1009 above it. */
  readonly maxMessageSize: number;
  /** WebSocket messages that may wait for a busy application. */
  readonly maxInboxMessages: number;
  /** Bytes that may wait for a busy application, as messages or as a request body. */
  readonly maxInboxBytes: number;
  /** Bytes in one request body: 413 above it, before the application runs where Content-Length tells. */
  readonly maxBodySize: number;
  /** Bytes of a request's header lines, as names, values and four more each, of 1 MiB at most: 431 above it. */
  readonly maxHeaderSize: number;
  /** Header lines in one request: 431 above it. */
  readonly maxHeaders: number;
  /**
   * WebSockets and requests that are being served at one time, from their beginning until their client has all it was
   * sent: 503 above it, before the application runs. A connection kept alive between two requests is none. 0 means
   * without bound.
   */
  readonly maxConnections: number;
  /**
   * The same from one address, or from one /64 of IPv6. 0, the default, means without bound: behind a proxy that is not
   * among the trusted ones, all clients have one address. Those who have none, it does not bound: clients that a trusted
   * proxy calls unknown, and whoever comes over a Unix socket without being named by a trusted proxy.
   */
  readonly maxConnectionsPerAddress: number;
  /** WebSocket handshakes per second: 503 above it, before the application runs. 0, the default, means without bound. */
  readonly maxHandshakesPerSecond: number;
}

export const defaultLimits: Limits = {
  handshakeTimeout: 5_000,
  httpTimeout: 60_000,
  sendTimeout: 30_000,
  maxLifetime: 86_400_000,
  maxMessageSize: 1024 * 1024,
  maxInboxMessages: 1024,
  maxInboxBytes: 4 * 1024 * 1024,
  maxBodySize: 16 * 1024 * 1024,
  maxHeaderSize: 16 * 1024,
  maxHeaders: 100,
  maxConnections: 65_536,
  maxConnectionsPerAddress: 0,
  maxHandshakesPerSecond: 0,
};

const unbounded = Number.MAX_SAFE_INTEGER;

/** Lowest and highest. Where 0 is in the range, it switches the limit off. */
const ranges: Readonly<Record<keyof Limits, readonly [lowest: number, highest: number]>> = {
  handshakeTimeout: [1, longest],
  httpTimeout: [0, longest],
  sendTimeout: [0, longest],
  maxLifetime: [0, longest],
  maxMessageSize: [1, unbounded],
  maxInboxMessages: [1, unbounded],
  maxInboxBytes: [1, unbounded],
  maxBodySize: [1, unbounded],
  // Parsers keep a whole head in memory, and some know no number beyond 32 bits.
  maxHeaderSize: [1, 1024 * 1024],
  maxHeaders: [1, unbounded],
  maxConnections: [0, unbounded],
  maxConnectionsPerAddress: [0, unbounded],
  maxHandshakesPerSecond: [0, unbounded],
};

/** The limits with what was left out. Throws `ConfigurationError` for one out of its range. */
export function checkLimits(given: Partial<Limits> = {}): Limits {
  const limits = { ...defaultLimits, ...given };
  for (const [name, [lowest, highest]] of Object.entries(ranges)) {
    checkRange(`limits.${name}`, limits[name as keyof Limits], lowest, highest);
  }
  return limits;
}
