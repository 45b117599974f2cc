/**
 * The table of protocols: which scope each has, what an application may receive and what it may send.
 *
 * Event names are ASGI's; event fields are its fields in camelCase. Sources: the ASGI HTTP and WebSocket
 * specification 2.5, its denial response extension, and the lifespan specification 2.0.
 */
import type { ChannelScope, HeaderList, HttpScope, LifespanScope, WebSocketScope } from "./scope.js";

export interface HttpRequestEvent {
  readonly type: "http.request";
  readonly body: Uint8Array;
  /** True while more `http.request` events will follow. */
  readonly moreBody: boolean;
}

/**
 * The client has gone, the response is complete, or the server is going away. In the last case what is sent still goes
 * out, and to return without it ends the response, or answers 503.
 */
export interface HttpDisconnectEvent {
  readonly type: "http.disconnect";
}

/** Held back until the first body event, so that an error in between can still become a proper answer. */
export interface HttpResponseStartEvent {
  readonly type: "http.response.start";
  readonly status: number;
  readonly headers?: HeaderList;
}

export interface HttpResponseBodyEvent {
  readonly type: "http.response.body";
  readonly body?: Uint8Array | string;
  /** True if more body events will follow; the response is complete with the first that does not say so. */
  readonly moreBody?: boolean;
}

export interface WebSocketConnectEvent {
  readonly type: "websocket.connect";
}

/** One message, never a fragment: text as `text`, binary as `bytes`. */
export type WebSocketReceiveEvent =
  | { readonly type: "websocket.receive"; readonly text: string; readonly bytes?: never }
  | { readonly type: "websocket.receive"; readonly bytes: Uint8Array; readonly text?: never };

/** Comes exactly once per connection, also for a refused handshake (as 1006, "closed without a close frame"). */
export interface WebSocketDisconnectEvent {
  readonly type: "websocket.disconnect";
  /** RFC 6455 7.1.5. 1005: the peer gave none. 1006: no close frame came. */
  readonly code: number;
  readonly reason: string;
}

export interface WebSocketAcceptEvent {
  readonly type: "websocket.accept";
  /** Must be one of those the client offered. */
  readonly subprotocol?: string | undefined;
  /** Go with the 101 response. `sec-websocket-*` are the server's own and refused here. */
  readonly headers?: HeaderList | undefined;
}

export type WebSocketSendEvent =
  | { readonly type: "websocket.send"; readonly text: string; readonly bytes?: never }
  | { readonly type: "websocket.send"; readonly bytes: Uint8Array; readonly text?: never };

/** After accept: a close frame. Before it: the handshake is refused with status 403. */
export interface WebSocketCloseEvent {
  readonly type: "websocket.close";
  /** 1000 (the default), 1001 to 1003, 1007 to 1014, or 3000 to 4999. */
  readonly code?: number | undefined;
  /** At most 123 bytes of UTF-8 (RFC 6455 5.5). */
  readonly reason?: string | undefined;
}

/** Refuses the handshake with a response of the application's own choice. */
export interface WebSocketDenialStartEvent {
  readonly type: "websocket.http.response.start";
  readonly status: number;
  readonly headers?: HeaderList;
}

export interface WebSocketDenialBodyEvent {
  readonly type: "websocket.http.response.body";
  readonly body?: Uint8Array | string;
  readonly moreBody?: boolean;
}

export interface LifespanStartupEvent {
  readonly type: "lifespan.startup";
}

export interface LifespanShutdownEvent {
  readonly type: "lifespan.shutdown";
}

export type LifespanSendEvent =
  | { readonly type: "lifespan.startup.complete" }
  | { readonly type: "lifespan.startup.failed"; readonly message?: string }
  | { readonly type: "lifespan.shutdown.complete" }
  | { readonly type: "lifespan.shutdown.failed"; readonly message?: string };

/** A message between consumers: plain data that JSON can carry, with a `type` such as `"chat.message"`. */
export interface LayerMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** What a worker is to do. An application for workers runs once per message. */
export interface ChannelReceiveEvent {
  readonly type: "channel.receive";
  readonly message: LayerMessage;
}

export interface Protocols {
  http: {
    scope: HttpScope;
    receive: HttpRequestEvent | HttpDisconnectEvent;
    send: HttpResponseStartEvent | HttpResponseBodyEvent;
  };
  websocket: {
    scope: WebSocketScope;
    receive: WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent;
    send:
      | WebSocketAcceptEvent
      | WebSocketSendEvent
      | WebSocketCloseEvent
      | WebSocketDenialStartEvent
      | WebSocketDenialBodyEvent;
  };
  /** Messages of a named channel, which workers read. There is nobody to send to. */
  channel: {
    scope: ChannelScope;
    receive: ChannelReceiveEvent;
    send: never;
  };
  lifespan: {
    scope: LifespanScope;
    receive: LifespanStartupEvent | LifespanShutdownEvent;
    send: LifespanSendEvent;
  };
}
