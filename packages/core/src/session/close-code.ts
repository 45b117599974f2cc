const encoder = new TextEncoder();

/** A control frame holds 125 bytes, of which the code takes two (RFC 6455 5.5). */
const maxReasonBytes = 123;

/** Throws a `TypeError` for a close frame that RFC 6455 7.4 does not let an endpoint send. */
export function checkClose(code: number, reason: string): void {
  const sendable =
    Number.isInteger(code) &&
    ((code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
      (code >= 3000 && code <= 4999));
  if (!sendable) {
    throw new TypeError(`expected a close code of 1000 to 1003, 1007 to 1014 or 3000 to 4999, got ${code}`);
  }
  // No character takes more than three bytes per UTF-16 unit, so a short reason need not be encoded to be known.
  if (reason.length * 3 > maxReasonBytes) {
    const size = encoder.encode(reason).byteLength;
    if (size > maxReasonBytes) {
      throw new TypeError(`expected a close reason of at most ${maxReasonBytes} bytes, got ${size}`);
    }
  }
}
