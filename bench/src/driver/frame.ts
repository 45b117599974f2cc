/** WebSocket frames (RFC 6455 5.2) with payloads short enough for a length of one byte. */

const final = 0x80;
const masked = 0x80;
const longestPayload = 125;

export const opcode = { text: 1, close: 8 } as const;

/** A frame as a client sends it. */
export function clientFrame(code: number, payload: Buffer, mask: Buffer): Buffer {
  checkLength(payload);
  const body = payload.map((byte, index) => byte ^ mask.readUInt8(index % 4));
  return Buffer.concat([Buffer.from([final | code, masked | payload.length]), mask, body]);
}

/** A frame as a server sends it. */
export function serverFrame(code: number, payload: Buffer): Buffer {
  checkLength(payload);
  return Buffer.concat([Buffer.from([final | code, payload.length]), payload]);
}

function checkLength({ length }: Buffer): void {
  if (length > longestPayload)
    throw new TypeError(`expected at most ${longestPayload} bytes of payload, got ${length}`);
}

/** 1000: everything is done. */
const normalClosure = Buffer.from([0x03, 0xe8]);

export const closeFrame: Buffer = clientFrame(opcode.close, normalClosure, Buffer.from([1, 2, 3, 4]));
export const closeFrameOfServer: Buffer = serverFrame(opcode.close, normalClosure);
