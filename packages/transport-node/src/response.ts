/** The heads of responses, and which of them have no body. */
import { STATUS_CODES } from "node:http";
import type { HeaderList } from "@sluice/core";

/** The head of a response, and what of it decides on how the body goes out. */
export interface ResponseHead {
  /** Names and values in turns, without those that frame the message, as Node.js takes them. */
  readonly lines: string[];
  /** What the application said in Content-Length. */
  readonly contentLength: number | undefined;
  /** True if a body must not follow, whatever the application sends (RFC 9110 6.4.1). */
  readonly isBodiless: boolean;
  /** True if a header has more than ASCII. */
  readonly hasLatin1: boolean;
}

/** Set here and by Node.js: twice would be a fault, a different value a lie. */
const framingHeaders: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "transfer-encoding",
  "upgrade",
]);

const digits = /^\d{1,15}$/;
const beyondAscii = /[\u0080-\uffff]/;

export function responseHead(method: string, status: number, headers: HeaderList): ResponseHead {
  const lines: string[] = [];
  let contentLength: number | undefined;
  let hasLatin1 = false;
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (!framingHeaders.has(key)) {
      lines.push(name, value);
      hasLatin1 ||= beyondAscii.test(value);
    } else if (key === "content-length" && digits.test(value)) {
      contentLength = Number(value);
    } else if (key === "connection" && value.toLowerCase() === "close") {
      lines.push("connection", "close");
    }
  }
  const isBodiless = method === "HEAD" || status === 204 || status === 304;
  return { lines, contentLength, isBodiless, hasLatin1 };
}

/** The header lines of a handshake's answer that are not the handshake's own. */
export function headerLines(headers: HeaderList): string[] {
  return headers
    .filter(([name]) => !framingHeaders.has(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}`);
}

/** A complete response that ends its connection, for a socket that no `ServerResponse` writes to. */
export function wholeResponse(status: number, headers: HeaderList, body: Uint8Array | string): Buffer {
  const bytes = Buffer.from(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}`,
    ...headerLines(headers),
    `Date: ${new Date().toUTCString()}`,
    "Connection: close",
    // A 204 has neither a body nor a length, and a client waits for no body of a 304.
    ...(status === 204 || status === 304 ? [] : [`Content-Length: ${bytes.length}`]),
  ];
  const text = Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1");
  return status === 204 || status === 304 ? text : Buffer.concat([text, bytes]);
}

/** A complete response in words. */
export function plainResponse(status: number, text: string): Buffer {
  return wholeResponse(status, [["content-type", "text/plain; charset=utf-8"]], `${text}\n`);
}
