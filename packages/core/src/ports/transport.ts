/**
 * What a transport supplies. Per connection no method returns a promise or throws: native callbacks cannot wait, and
 * nothing may unwind through them.
 */
import type { MaybePromise } from "../app.js";
import type { Address, HeaderList } from "../scope.js";

/**
 * What became of a write. `"buffered"`: taken, but the client is behind; the transport calls `drained()` on the session
 * when it has caught up. `"dropped"`: not taken, the transport's limit is reached.
 */
export type WriteStatus = "ok" | "buffered" | "dropped";

/** A request as it stood on the wire. A transport copies it before the callback that brought it returns. */
export interface RequestHead {
  readonly method: string;
  /** Not decoded, without the query string. */
  readonly rawPath: string;
  /** Without the question mark. */
  readonly queryString: string;
  readonly httpVersion: string;
  /** Names in lower case, pairs in wire order. */
  readonly headers: HeaderList;
  /** True if the connection came over TLS. */
  readonly secure: boolean;
  readonly client: Address | undefined;
  /** The client as the connection's PROXY protocol header has it. Counts only where `client` is a trusted proxy. */
  readonly proxied?: Address | undefined;
  readonly server: Address | undefined;
}

export interface AcceptOptions {
  readonly subprotocol: string | undefined;
  readonly headers: HeaderList;
}

export interface WebSocketTransport {
  /** Bytes that wait for the client to take them. They need to be told only after a write that was `"buffered"`. */
  readonly buffered: number;
  /** Completes the handshake: once, in the tick that brought it or in any later one. */
  accept(options: AcceptOptions): void;
  /** Refuses the handshake with a complete response: once, instead of accept. Nothing is to be reported after it. */
  deny(status: number, headers: HeaderList, body: Uint8Array | string): void;
  /** What is taken by `"ok"` may be written a little later; the session is told by `fellBehind()` if it then has to wait. */
  write(data: string | Uint8Array): WriteStatus;
  /**
   * Sends a close frame behind all that waits for the client. The transport reports `closed()` on the session once: when
   * the operating system has all of it and the connection is ended on this side, when the client has gone, or when the
   * client has taken nothing for long and is cut. It does not wait for the client's answer.
   */
  close(code: number, reason: string): void;
  /** Stops reading from the client. Where it is absent, a full inbox closes the connection with 1013. */
  pause?(): void;
  resume?(): void;
}

/**
 * When the operating system has the last byte of a complete response, the transport reports `sent()` on the session; the
 * server waits for it before it ends. `aborted()` stands for it where the client has gone.
 */
export interface HttpTransport {
  /** A complete response in one piece. Sets Content-Length. */
  respond(status: number, headers: HeaderList, body: Uint8Array | string): void;
  /** Begins a streamed response. */
  start(status: number, headers: HeaderList): void;
  write(chunk: Uint8Array | string): WriteStatus;
  /** Ends a streamed response. */
  end(): void;
  /** Cuts the connection: a response that began cannot be completed. */
  abort(): void;
  /** Stops reading the request body. */
  pause(): void;
  resume(): void;
}

/** What a transport supplies per server: the port it opens and closes. */
export interface Listener {
  /** True if it serves TLS. */
  readonly secure: boolean;
  /**
   * Opens the port. Resolves with the address in use, for a Unix socket with its path and no port. Rejects with the
   * system's error: `code` is `"EADDRINUSE"` where it is taken.
   */
  listen(): Promise<Address>;
  /** Takes no more connections; those that are open stay. */
  stopListening(): void;
  /** Cuts whatever is still connected, and lets go of what is still open. Also called after a start that failed. */
  cut(): MaybePromise<void>;
}
