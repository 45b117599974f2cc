/** WebSocket frames (RFC 6455 5.2), byte by byte. */

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly final: boolean;
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly final?: boolean;
  readonly masked?: boolean;
  /** The three reserved bits, as a number from 0 to 7. */
  readonly reserved?: number;
}

/** A frame as a client sends it. Strings are encoded as UTF-8. */
export function frame(code: number, payload: string | Uint8Array = "", options: FrameOptions = {}): Buffer {
  const { final = true, masked = true, reserved = 0 } = options;
  const body = Buffer.from(typeof payload === "string" ? Buffer.from(payload) : payload);
  const first = (final ? 0x80 : 0) | (reserved << 4) | code;
  const maskBit = masked ? 0x80 : 0;
  let head: Buffer;
  if (body.length < 126) {
    head = Buffer.from([first, maskBit | body.length]);
  } else if (body.length < 65_536) {
    head = Buffer.from([first, maskBit | 126, 0, 0]);
    head.writeUInt16BE(body.length, 2);
  } else {
    head = Buffer.from([first, maskBit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  if (!masked) return Buffer.concat([head, body]);
  const mask = Buffer.from([0x11, 0x22, 0x33, 0x44]);
  return Buffer.concat([head, mask, body.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason = ""): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** What the payload of a close frame says; 1005 if it is empty. */
export function closeOf({ payload }: Frame): { readonly code: number; readonly reason: string } {
  return payload.length < 2
    ? { code: 1005, reason: "" }
    : { code: payload.readUInt16BE(), reason: payload.toString("utf8", 2) };
}

/** Reads a frame as a server sends it: without a mask. */
export async function readFrame(take: (size: number) => Promise<Buffer>): Promise<Frame> {
  const head = await take(2);
  let length = head.readUInt8(1);
  if (length >= 128) throw new Error("expected an unmasked frame from the server, got a masked one");
  if (length === 126) length = (await take(2)).readUInt16BE();
  else if (length === 127) length = Number((await take(8)).readBigUInt64BE());
  const first = head.readUInt8(0);
  return { opcode: first & 0x0f, final: first >= 128, payload: await take(length) };
}
