import type { WebSocketAcceptEvent } from "./events.js";
import { checkResponseHeaders, checkStatus } from "./response-header.js";
import type { HeaderList } from "./scope.js";

/** What every error of Sluice's own carries: a literal `code`, and the error underneath as `cause`. */
export abstract class SluiceError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The application was put together wrongly: a bad pattern, an empty secret. Raised while building, never later. */
export class ConfigurationError extends SluiceError {
  readonly code = "configuration";
}

/** The application broke the order of events. The message says what was expected and what came. */
export class ProtocolError extends SluiceError {
  readonly code = "protocol";
}

/** No route fits. Answered with 404, for a WebSocket handshake too, and no stack trace in the log. */
export class RouteNotFound extends SluiceError {
  readonly code = "route_not_found";
}

export interface Denial {
  /** 403 if left out. */
  readonly status?: number;
  readonly headers?: HeaderList;
  readonly body?: Uint8Array | string;
  /** Never on the wire: what the application would have closed with, for logs and tests. */
  readonly closeCode?: number;
}

/**
 * Thrown to refuse a connection before it is open: a WebSocket handshake before accept, a request before its response.
 * An outcome, not a failure: it is logged as an error only with a status of 500 or more. Throws a `TypeError` for a status
 * or a header that cannot go on the wire.
 */
export class DenyConnection extends SluiceError {
  readonly code = "deny_connection";
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array | string;
  readonly closeCode: number | undefined;

  constructor(denial: Denial = {}, options?: ErrorOptions) {
    const { status = 403, headers = [] } = denial;
    checkStatus(status);
    checkResponseHeaders(headers);
    super(`connection denied with status ${status}`, options);
    this.status = status;
    this.headers = headers;
    this.body = denial.body ?? "";
    this.closeCode = denial.closeCode;
  }
}

/**
 * Thrown in a WebSocket consumer's `connect()`: accepts the connection, as `accept()` does, and leaves the method. For
 * code deep below `connect()`, which would otherwise have to hand its answer up.
 */
export class AcceptConnection extends SluiceError {
  readonly code = "accept_connection";
  readonly accept: Omit<WebSocketAcceptEvent, "type">;

  constructor(accept: Omit<WebSocketAcceptEvent, "type"> = {}, options?: ErrorOptions) {
    super("connection accepted", options);
    this.accept = accept;
  }
}

/**
 * Thrown anywhere in a consumer: ends it, cleanup included. A WebSocket is closed with 1000, or refused with 403 before
 * accept; an HTTP response that has begun is complete.
 */
export class StopConsumer extends SluiceError {
  readonly code = "stop_consumer";

  constructor(options?: ErrorOptions) {
    super("the consumer has stopped", options);
  }
}

/** One place where a message misses its schema. */
export interface BadMessageIssue {
  /** Dotted, as in `data.items.0`; empty for the message as a whole. */
  readonly path: string;
  /** In the words of the schema. */
  readonly message: string;
}

/** A client sent what a JSON consumer cannot take: a binary frame, bad JSON, or what its schema refuses. */
export class BadMessage extends SluiceError {
  readonly code = "bad_message";
  /** Empty for a message that did not get as far as the schema. */
  readonly issues: readonly BadMessageIssue[];

  constructor(message: string, issues: readonly BadMessageIssue[] = [], options?: ErrorOptions) {
    super(message, options);
    this.issues = issues;
  }
}

/** The client left while the application still had work for it. Never logged as an error. */
export class ClientDisconnected extends SluiceError {
  readonly code = "client_disconnected";
}

/** The client reads more slowly than the application writes, beyond the transport's limit. Closed with 1013. */
export class SlowConsumer extends SluiceError {
  readonly code = "slow_consumer";
}

/** The client writes faster than the application reads, on a transport that cannot pause. Closed with 1013. */
export class InboxFull extends SluiceError {
  readonly code = "inbox_full";
}

/** A channel holds as many messages as its capacity allows. */
export class ChannelFull extends SluiceError {
  readonly code = "channel_full";
}

/** The channel layer cannot be reached. The driver's error is the cause. */
export class LayerUnavailable extends SluiceError {
  readonly code = "layer_unavailable";
}

/** A store's database cannot be reached. The driver's error is the cause. */
export class StoreUnavailable extends SluiceError {
  readonly code = "store_unavailable";
}

/** The keys that somebody else's tokens are verified with cannot be had. What went wrong is the cause. */
export class KeysUnavailable extends SluiceError {
  readonly code = "keys_unavailable";
}

/** A store already has a user of that name. */
export class UsernameTaken extends SluiceError {
  readonly code = "username_taken";
}

/** All of them: `switch (error.code)` narrows. */
export type AnySluiceError =
  | ConfigurationError
  | ProtocolError
  | RouteNotFound
  | DenyConnection
  | AcceptConnection
  | StopConsumer
  | BadMessage
  | ClientDisconnected
  | SlowConsumer
  | InboxFull
  | ChannelFull
  | LayerUnavailable
  | StoreUnavailable
  | KeysUnavailable
  | UsernameTaken;

export type ErrorCode = AnySluiceError["code"];
