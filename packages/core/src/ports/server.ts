/** What a transport gives to who starts it. */

/** A server that listens. */
export interface Server {
  /** The address; on a Unix socket its path. */
  readonly host: string;
  /** The one in use, also where the system has chosen it; 0 on a Unix socket. */
  readonly port: number;
  /** `http:` or `https:`, without a trailing slash; `unix:` and the path on a Unix socket. */
  readonly url: string;
  /** How many connections have an application running or a client waiting. */
  readonly connections: { readonly http: number; readonly websocket: number };
  readonly counts: ServerCounts;
  /**
   * Stops listening, ends every connection, waits for the applications to return, runs the lifespan shutdown and cuts
   * what is still connected. Once: later calls get the promise of the first. Rejects with what the shutdown rejects with.
   */
  close(options?: CloseOptions): Promise<void>;
}

export interface CloseOptions {
  /** Milliseconds that applications may take to return. 10,000 if left out. */
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
