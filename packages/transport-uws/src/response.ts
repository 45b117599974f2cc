/** What complete and streamed responses have in common: their heads, and which of them have no body. */
import { STATUS_CODES } from "node:http";
import type { HeaderList } from "@sluice/core";
import type { NativeResponse } from "./native.js";

/** The head of a response, and what of it decides on how the body goes out. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  /** What the application said in Content-Length. */
  readonly contentLength: number | undefined;
  /** True if the application asked for `Connection: close`, or has to have it. */
  readonly closesConnection: boolean;
  /** True if the connection must not bring another request, whatever its client does: see `HttpConnection`. */
  readonly isLast: boolean;
  /** True if a body must not follow, whatever the application sends (RFC 9110 6.4.1). */
  readonly isBodiless: boolean;
}

/** Left to the native side, which writes them itself: twice would be a fault, a different value a lie. */
const framingHeaders: ReadonlySet<string> = new Set(["connection", "content-length", "date", "transfer-encoding"]);

const digits = /^\d{1,15}$/;

export function responseHead(method: string, status: number, headers: HeaderList, isLast = false): ResponseHead {
  let contentLength: number | undefined;
  let closesConnection = isLast;
  for (const [name, value] of headers) {
    if (name.length === 14 && name.toLowerCase() === "content-length" && digits.test(value))
      contentLength = Number(value);
    if (name.length === 10 && name.toLowerCase() === "connection") closesConnection ||= value.toLowerCase() === "close";
  }
  const isBodiless = method === "HEAD" || status === 204 || status === 304;
  return { status, headers, contentLength, closesConnection, isLast, isBodiless };
}

/** Call it corked. */
export function writeHead(response: NativeResponse, { status, headers }: ResponseHead): void {
  response.writeStatus(statusLine(status));
  writeHeaders(response, headers);
}

/** Call it corked. */
export function writeHeaders(response: NativeResponse, headers: HeaderList): void {
  for (const [name, value] of headers) {
    if (!framingHeaders.has(name.toLowerCase())) response.writeHeader(name, asBytes(value));
  }
}

/** A complete response, corked. */
export function respond(response: NativeResponse, head: ResponseHead, body: Uint8Array | string): void {
  if (head.isBodiless) {
    respondWithoutBody(response, head, Buffer.byteLength(body));
    return;
  }
  response.cork(() => {
    writeHead(response, head);
    response.end(wellFormed(body), head.closesConnection);
  });
}

/** The response to HEAD, a 204 or a 304, corked. `length` is that of the body which is not sent. */
export function respondWithoutBody(response: NativeResponse, head: ResponseHead, length: number): void {
  response.cork(() => {
    writeHead(response, head);
    const reported = length > 0 ? length : head.contentLength;
    // Not as an argument to the native call: it would go on waiting for that many bytes, and cut the next request.
    if (head.status !== 204 && reported !== undefined) response.writeHeader("content-length", String(reported));
    // With the line break that ends a head, as the native side can end one by itself only to read the next request.
    if (head.isLast) response.writeHeader("connection", "close\r\n");
    else {
      if (head.closesConnection) response.writeHeader("connection", "close");
      response.endWithoutBody();
    }
  });
  if (head.isLast) response.close();
}

function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? "Unknown"}`;
}

const beyondAscii = /[\u0080-\uffff]/;

/** Strings go out as UTF-8, header values are Latin-1. */
function asBytes(value: string): string | Uint8Array {
  return beyondAscii.test(value) ? Buffer.from(value, "latin1") : value;
}

const loneSurrogate = /\p{Surrogate}/u;

/** The native side writes half a surrogate pair as it is, which is not UTF-8. */
export function wellFormed(data: Uint8Array | string): Uint8Array | string {
  return typeof data === "string" && loneSurrogate.test(data) ? Buffer.from(data) : data;
}
