import type { HeaderList } from "../scope.js";

export type FetchBody = Uint8Array | string | ReadableStream<Uint8Array>;

/**
 * The web `Response` to a request of this method. How a body is framed is left to the runtime, but for the length that an
 * application announces for a body that is not there yet, or for HEAD is not to come at all.
 */
export function fetchResponse(method: string, status: number, list: HeaderList, body: FetchBody): Response {
  const isStream = body instanceof ReadableStream;
  const isHead = method === "HEAD";
  const length = isStream ? 0 : byteLength(body);
  const headers = fetchHeaders(list, (isStream || (isHead && length === 0)) && status !== 204);
  if (isHead && length > 0) headers.set("content-length", String(length));
  const isBodiless = isHead || status === 204 || status === 304;
  // The cast: bytes may be in memory that is shared, which the declaration of a body does not foresee.
  return new Response(isBodiless ? null : (body as BodyInit), { status, headers });
}

/** As the web has them, without those that say how a body is framed; `keepLength` lets Content-Length pass. */
export function fetchHeaders(list: HeaderList, keepLength = false): Headers {
  const headers = new Headers();
  for (const [name, value] of list) {
    const key = name.toLowerCase();
    if (key !== "transfer-encoding" && (keepLength || key !== "content-length")) headers.append(name, value);
  }
  return headers;
}

const encoder = new TextEncoder();

/** How many bytes it is in UTF-8. */
export function byteLength(data: Uint8Array | string): number {
  return typeof data === "string" ? encoder.encode(data).byteLength : data.byteLength;
}
