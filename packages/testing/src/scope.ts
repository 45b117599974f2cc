import type { ConnectionScope, HttpScope, WebSocketScope } from "@sluice/core";

/** A scope of `GET /` over HTTP, with `fields` in place of the ordinary ones: for calling an application directly. */
export function httpScope(fields: Partial<HttpScope> = {}): HttpScope {
  return { type: "http", method: "GET", scheme: "http", ...connection(), ...fields };
}

/** A scope of a WebSocket handshake at `/`, with `fields` in place of the ordinary ones. */
export function webSocketScope(fields: Partial<WebSocketScope> = {}): WebSocketScope {
  return { type: "websocket", scheme: "ws", subprotocols: [], ...connection(), ...fields };
}

function connection(): ConnectionScope {
  return {
    httpVersion: "1.1",
    path: "/",
    rawPath: "/",
    queryString: "",
    rootPath: "",
    headers: [],
    client: undefined,
    server: undefined,
    state: {},
    extensions: {},
    signal: () => new AbortController().signal,
  };
}
