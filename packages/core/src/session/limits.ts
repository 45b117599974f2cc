/** Bounds that a session keeps for its connection, each with a safe default. */
export interface Limits {
  /** Milliseconds an application may take to accept or refuse a WebSocket: 504 after it. */
  readonly handshakeTimeout: number;
  /**
   * Milliseconds an application may take to begin an HTTP response (503 after it), and between two pieces of one that
   * has begun (the connection is cut). 0 means for ever.
   */
  readonly httpTimeout: number;
  /** Bytes in one WebSocket message: close 1009 above it. */
  readonly maxMessageSize: number;
  /** WebSocket messages that may wait for a busy application. */
  readonly maxInboxMessages: number;
  /** Bytes that may wait for a busy application, as messages or as a request body. */
  readonly maxInboxBytes: number;
}

export const defaultLimits: Limits = {
  handshakeTimeout: 5_000,
  httpTimeout: 60_000,
  maxMessageSize: 1024 * 1024,
  maxInboxMessages: 1024,
  maxInboxBytes: 4 * 1024 * 1024,
};
