const encoder = new TextEncoder();

/** How many bytes it takes on the wire: a text takes those of its UTF-8. */
export function encodedLength(data: Uint8Array | string): number {
  return typeof data === "string" ? encoder.encode(data).byteLength : data.byteLength;
}
