import type { RequestHead } from "../ports/transport.js";
import type { HeaderList } from "../scope.js";

/**
 * True for a request that asks for a WebSocket (RFC 6455 4.2.1), whether or not it does so correctly. One older than
 * HTTP/1.1 cannot: a server must ignore what it would upgrade to (RFC 9110 7.8).
 */
export function asksForWebSocket(head: Pick<RequestHead, "method" | "httpVersion" | "headers">): boolean {
  const { method, httpVersion, headers } = head;
  // Most are 1.1, and need not be read as a number.
  if (method !== "GET" || !(httpVersion === "1.1" || Number(httpVersion) >= 1.1)) return false;
  return lists(headers, "upgrade", "websocket") && lists(headers, "connection", "upgrade");
}

function lists(headers: HeaderList, name: string, token: string): boolean {
  // Not destructured: see headerValues.
  return headers.some((line) => line[0] === name && has(line[1], token));
}

function has(value: string, token: string): boolean {
  // As most clients write it; Firefox has keep-alive beside it.
  return value.toLowerCase() === token || value.split(",").some((item) => item.trim().toLowerCase() === token);
}
