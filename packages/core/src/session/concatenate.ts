const encoder = new TextEncoder();

/** The parts as one body; a single part as it is. */
export function concatenate(parts: readonly (Uint8Array | string)[]): Uint8Array | string {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const chunks = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
