/** What a transport gives to who starts it. */

/** A server that listens. */
export interface Server {
  /** The address; on a Unix socket its path. */
  readonly host: string;
  /** The one in use, also where the system has chosen it; 0 on a Unix socket. */
  readonly port: number;
  /** `http:` or `https:`, without a trailing slash; `unix:` and the path on a Unix socket. */
  readonly url: string;
  /** How many connections have an application running or something that their client has yet to take. */
  readonly connections: { readonly http: number; readonly websocket: number };
  readonly counts: ServerCounts;
  /**
   * Stops listening, closes the WebSockets with 1012, tells the applications of requests by `http.disconnect` that the
   * server goes away, waits until they have returned and the clients have what they were sent, runs the lifespan shutdown
   * and cuts what is still connected. What an application still sends goes out. A second before the deadline, requests are
   * given up: 503, or cut where the response has begun.
   *
   * Once: later calls get the promise of the first. Rejects with `ConfigurationError` for an option out of range, which
   * does not count, and with what the shutdown rejects with.
   */
  close(options?: CloseOptions): Promise<void>;
}

export interface CloseOptions {
  /** Milliseconds that applications and clients may take to be done; `Infinity` for as many as they want. 10,000 if left out. */
  readonly deadline?: number;
  /**
   * Milliseconds over which the WebSockets are closed, batch by batch, so that their clients do not all come back to
   * the next server at once. Part of the deadline. 0 if left out: all at once.
   */
  readonly drain?: number;
}

/** What has happened since the start, for metrics. */
export interface ServerCounts {
  /** WebSockets closed with 1013 because their client read too slowly. */
  readonly slowConsumers: number;
  /** WebSockets closed with 1013 because their client wrote faster than the application read. */
  readonly fullInboxes: number;
  /** Requests and handshakes refused with 503 because there were too many. */
  readonly refused: number;
}
