/**
 * The bytes as an application may keep them: a plain `Uint8Array`, whose `slice` copies, and none of a larger block that
 * it would keep alive.
 */
export function ownBytes(bytes: Buffer): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
}
