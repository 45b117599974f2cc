import type { Receive } from "../app.js";
import { ClientDisconnected } from "../errors.js";
import { type HttpScope, headerValues } from "../scope.js";
import { refusal } from "../session/refusal.js";

/** A host name, an IPv4 or a bracketed IPv6 address, and a port (RFC 9110 7.2), without what RFC 3986 allows beside. */
const hostHeader = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;
/** The fetch standard forbids them, so that no `Request` can have them. */
const forbiddenMethods: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
/** What a 405 must list (RFC 9110 15.5.6): a fetch handler may be asked for these. */
const allowedMethods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/** The request as the web has it. Throws `DenyConnection` for one that it cannot express. */
export function fetchRequest(scope: HttpScope, receive: Receive<"http">): Request {
  const { method } = scope;
  if (forbiddenMethods.has(method)) throw refusal(405, "Method Not Allowed", [["allow", allowedMethods]]);
  const init: RequestInit & { duplex?: "half" } = {
    method,
    headers: scope.headers.map(([name, value]): [string, string] => [name, value]),
    signal: scope.signal(),
  };
  if (method !== "GET" && method !== "HEAD") {
    init.body = bodyStream(receive);
    // Required with a stream: the response may begin only after the request was read, as far as a client can tell.
    init.duplex = "half";
  }
  return new Request(urlOf(scope), init);
}

function urlOf(scope: HttpScope): URL {
  const query = scope.queryString === "" ? "" : `?${scope.queryString}`;
  try {
    return new URL(`${scope.scheme}://${hostOf(scope)}${scope.rawPath}${query}`);
  } catch {
    throw refusal(400, "Expected a Host header with a host and a port");
  }
}

/** Only HTTP/1.0 may leave it out; the server's own address stands in for it. */
function hostOf(scope: HttpScope): string {
  const hosts = headerValues(scope, "host");
  if (hosts.length === 0) return scope.server?.port === undefined ? "localhost" : `localhost:${scope.server.port}`;
  const [host = ""] = hosts;
  if (hosts.length > 1 || !hostHeader.test(host)) {
    throw refusal(400, "Expected one Host header with a host and a port");
  }
  return host;
}

/** Takes an event only when the reader asks for more, so that the session can hold the client back. */
function bodyStream(receive: Receive<"http">): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const event = await receive();
          if (event.type === "http.disconnect") {
            throw new ClientDisconnected("the client left before its request was complete");
          }
          if (event.body.byteLength > 0) controller.enqueue(event.body);
          if (!event.moreBody) controller.close();
          if (!event.moreBody || event.body.byteLength > 0) return;
        }
      },
    },
    { highWaterMark: 0 },
  );
}
