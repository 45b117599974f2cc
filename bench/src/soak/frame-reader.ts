/** The longest payload that a server of a soak sends, and then some. */
const longestPayload = 128 * 1024;

/** Takes apart the frames of a server (RFC 6455 5.2), which are neither masked nor fragmented here. */
export class FrameReader {
  readonly #onFrame: (opcode: number, payload: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onFrame: (opcode: number, payload: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws for what is not such a frame. */
  take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let frame = firstFrame(this.#rest); frame !== undefined; frame = firstFrame(this.#rest)) {
      this.#rest = this.#rest.subarray(frame.end);
      this.#onFrame(frame.opcode, frame.payload);
    }
  }
}

/** The frame that the bytes begin with; undefined if it is not whole yet. */
export function firstFrame(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes.readUInt8(0);
  const short = bytes.readUInt8(1);
  const headLength = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < headLength) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if ((first & 0xf0) !== 0x80 || length > longestPayload) {
    throw new Error(
      `expected a whole frame of at most ${longestPayload} bytes, got ${bytes.toString("hex", 0, headLength)}`,
    );
  }
  const end = headLength + length;
  return bytes.length < end ? undefined : { opcode: first & 0x0f, payload: bytes.subarray(headLength, end), end };
}
