/** WebSocket frames (RFC 6455 5.2), not fragmented. */

const final = 0x80;
const masked = 0x80;

export const opcode = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as a client sends it. */
export function clientFrame(code: number, payload: Buffer, mask: Buffer): Buffer {
  const body = Buffer.from(payload);
  for (let index = 0; index < body.length; index++) body[index] = body.readUInt8(index) ^ mask.readUInt8(index % 4);
  return Buffer.concat([head(final | code, masked, payload.length), mask, body]);
}

/** A frame as a server sends it. */
export function serverFrame(code: number, payload: Buffer): Buffer {
  return Buffer.concat([head(final | code, 0, payload.length), payload]);
}

function head(first: number, mask: number, length: number): Buffer {
  if (length < 126) return Buffer.from([first, mask | length]);
  const long = length > 0xffff;
  const bytes = Buffer.alloc(long ? 10 : 4);
  bytes.writeUInt8(first);
  bytes.writeUInt8(mask | (long ? 127 : 126), 1);
  if (long) bytes.writeBigUInt64BE(BigInt(length), 2);
  else bytes.writeUInt16BE(length, 2);
  return bytes;
}

/** 1000: everything is done. */
const normalClosure = Buffer.from([0x03, 0xe8]);

export const closeFrame: Buffer = clientFrame(opcode.close, normalClosure, Buffer.from([1, 2, 3, 4]));
export const closeFrameOfServer: Buffer = serverFrame(opcode.close, normalClosure);
