import type { HeaderList } from "../scope.js";
import { encodedLength } from "./encoded-length.js";

export type FetchBody = Uint8Array | string | ReadableStream<Uint8Array>;

/** Those of a final response that the fetch standard lets have no body: its `Response` throws for one. */
const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The web `Response` to a request of this method. How a body is framed is left to the runtime, but for the length that an
 * application announces for a body that is not there yet, or for HEAD is not to come at all.
 */
export function fetchResponse(method: string, status: number, list: HeaderList, body: FetchBody): Response {
  const isStream = body instanceof ReadableStream;
  const isHead = method === "HEAD";
  // Neither has a length to tell (RFC 9110 8.6 and 15.3.6); 304 has that of what it stands for.
  const hasLength = status !== 204 && status !== 205;
  const length = isStream ? 0 : encodedLength(body);
  const headers = framedByRuntime(list, hasLength && (isStream || (isHead && length === 0)));
  if (isHead && length > 0 && hasLength) headers.set("content-length", String(length));
  const isBodiless = isHead || bodilessStatuses.has(status);
  return new Response(isBodiless ? null : unshared(body), { status, headers });
}

/** `Response` throws for bytes in memory that is shared. */
function unshared(body: FetchBody): BodyInit {
  if (typeof body === "string" || body instanceof ReadableStream) return body;
  return body.buffer instanceof ArrayBuffer ? (body as Uint8Array<ArrayBuffer>) : new Uint8Array(body);
}

/** The web `Headers` of a response, without those that say how a body is framed: the runtime sets them. */
export function fetchResponseHeaders(list: HeaderList): Headers {
  return framedByRuntime(list, false);
}

function framedByRuntime(list: HeaderList, keepsLength: boolean): Headers {
  const headers = new Headers();
  for (const [name, value] of list) {
    const key = name.toLowerCase();
    if (key !== "transfer-encoding" && (keepsLength || key !== "content-length")) headers.append(name, value);
  }
  return headers;
}
