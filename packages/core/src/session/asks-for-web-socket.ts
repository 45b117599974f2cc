import type { RequestHead } from "../ports/transport.js";
import { headerValues } from "../scope.js";

/**
 * True for a request that asks for a WebSocket (RFC 6455 4.2.1), whether or not it does so correctly. One older than
 * HTTP/1.1 cannot: a server must ignore what it would upgrade to (RFC 9110 7.8).
 */
export function asksForWebSocket(head: Pick<RequestHead, "method" | "httpVersion" | "headers">): boolean {
  const { method, httpVersion } = head;
  return (
    method === "GET" &&
    Number(httpVersion) >= 1.1 &&
    lists(headerValues(head, "upgrade"), "websocket") &&
    lists(headerValues(head, "connection"), "upgrade")
  );
}

function lists(values: readonly string[], token: string): boolean {
  return values.some(
    (value) =>
      // As most clients write it; Firefox has keep-alive beside it.
      value.toLowerCase() === token || value.split(",").some((item) => item.trim().toLowerCase() === token),
  );
}
