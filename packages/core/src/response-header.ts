import type { HeaderList } from "./scope.js";

/** A token of RFC 9110 5.6.2. */
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible characters, spaces and tabs, and what Latin-1 has beyond ASCII (RFC 9110 5.5). */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** True if the pair can stand in a message without breaking out of its line. */
export function isHeader(name: string, value: string): boolean {
  return headerName.test(name) && headerValue.test(value);
}

/** Throws a `TypeError` for headers that an application must not send. Their values stay out of the message. */
export function checkResponseHeaders(headers: HeaderList): void {
  for (const [name, value] of headers) {
    if (!isHeader(name, value)) {
      throw new TypeError(
        `expected a header name that is an HTTP token and a value without control characters, got a bad ${JSON.stringify(name)}`,
      );
    }
  }
}

export function checkStatus(status: number): void {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`expected a final response status from 200 to 599, got ${status}`);
  }
}
