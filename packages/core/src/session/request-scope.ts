/** Makes scopes of request heads: what every transport has to check is checked here, once. */
import { DenyConnection } from "../errors.js";
import type { RequestHead } from "../ports/transport.js";
import { isHeader } from "../response-header.js";
import { type ConnectionScope, type HttpScope, headerValues, type State, type WebSocketScope } from "../scope.js";
import type { Limits } from "./limits.js";
import { contentTooLarge, refusal } from "./refusal.js";
import type { TrustedProxies } from "./trusted-proxies.js";

export interface ScopeSettings {
  readonly rootPath: string;
  readonly state: State;
  readonly limits: Limits;
  /** Undefined where none is trusted. */
  readonly proxies: TrustedProxies | undefined;
}

type Common = Omit<ConnectionScope, "signal">;

/** What RFC 3986 lets a path and a query be made of: no control characters, no spaces, nothing beyond ASCII. */
const wireText = /^[\x21-\x7e]*$/;
/** Sixteen bytes in base64 (RFC 6455 4.2.1). */
const webSocketKey = /^[A-Za-z0-9+/]{22}==$/;
/** A colon, a space and the end of the line. */
const lineOverhead = 4;
const noSubprotocols: readonly string[] = Object.freeze([]);
const protocolName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Throws `DenyConnection` for a request that cannot be served. */
export function httpScope(given: RequestHead, settings: ScopeSettings, signal: () => AbortSignal): HttpScope {
  const head = checkedHead(given, settings);
  if (headerValues(head, "content-length").some((value) => Number(value) > settings.limits.maxBodySize)) {
    throw contentTooLarge();
  }
  return {
    type: "http",
    method: head.method,
    scheme: head.secure ? "https" : "http",
    ...commonScope(head, settings),
    signal,
  };
}

/** Throws `DenyConnection` for a handshake that RFC 6455 4.2 does not let a server accept. */
export function webSocketScope(given: RequestHead, settings: ScopeSettings, signal: () => AbortSignal): WebSocketScope {
  const head = checkedHead(given, settings);
  const version = headerValues(head, "sec-websocket-version");
  if (version.length !== 1 || version[0] !== "13") {
    throw refusal(426, "Expected Sec-WebSocket-Version: 13", [["sec-websocket-version", "13"]]);
  }
  const key = headerValues(head, "sec-websocket-key");
  if (key.length !== 1 || !webSocketKey.test(key[0] ?? "")) {
    throw refusal(400, "Expected one Sec-WebSocket-Key of 16 bytes in base64");
  }
  return {
    type: "websocket",
    subprotocols: offeredSubprotocols(head),
    scheme: head.secure ? "wss" : "ws",
    ...commonScope(head, settings),
    signal,
  };
}

/** The head as its client made it. */
function checkedHead(head: RequestHead, { limits, proxies }: ScopeSettings): RequestHead {
  if (head.headers.length > limits.maxHeaders) throw refusal(431, "Expected fewer header lines");
  let size = 0;
  // Not destructured: see headerValues.
  for (const line of head.headers) {
    const name = line[0];
    const value = line[1];
    if (!isHeader(name, value)) throw refusal(400, "Expected header lines without control characters");
    size += name.length + value.length + lineOverhead;
  }
  if (size > limits.maxHeaderSize) throw refusal(431, "Expected shorter header lines");
  return proxies === undefined ? head : proxies.seenThrough(head);
}

function commonScope(head: RequestHead, settings: ScopeSettings): Common {
  if (!head.rawPath.startsWith("/") || !wireText.test(head.rawPath) || !wireText.test(head.queryString)) {
    throw refusal(400, "Expected a path and a query of percent-encoded ASCII");
  }
  return {
    httpVersion: head.httpVersion,
    path: decodePath(head.rawPath),
    rawPath: head.rawPath,
    queryString: head.queryString,
    rootPath: settings.rootPath,
    headers: head.headers,
    client: head.client,
    server: head.server,
    state: settings.state,
    extensions,
  };
}

const extensions: Readonly<Record<string, object>> = Object.freeze({ "websocket.http.response": Object.freeze({}) });

function decodePath(rawPath: string): string {
  if (!rawPath.includes("%")) return rawPath;
  try {
    return decodeURIComponent(rawPath);
  } catch (cause) {
    throw new DenyConnection({ status: 400, body: "Expected a path whose percent-encoding is UTF-8\n" }, { cause });
  }
}

function offeredSubprotocols(head: RequestHead): readonly string[] {
  const lines = headerValues(head, "sec-websocket-protocol");
  if (lines.length === 0) return noSubprotocols;
  const offered = lines.flatMap((line) => line.split(",")).map((name) => name.trim());
  if (!offered.every((name) => protocolName.test(name)) || new Set(offered).size !== offered.length) {
    throw refusal(400, "Expected Sec-WebSocket-Protocol to list different tokens");
  }
  return offered;
}
