/** What a client may say once it has a WebSocket, and what it must not. */
import { closePayload, opcode } from "./frame.js";
import type { FuzzRandom } from "./fuzz-random.js";

/** Bytes in the longest message that the server under test takes. */
export const maxMessageSize = 70_000;

interface Shape {
  readonly final?: boolean;
  readonly reserved?: number;
  readonly masked?: boolean;
  /** How the length is written, where not in the shortest way. */
  readonly form?: 125 | 126 | 127;
  /** What the head says the length is, where it lies. */
  readonly declared?: bigint;
}

function encode(random: FuzzRandom, code: number, payload: Buffer, shape: Shape = {}): Buffer {
  const { final = true, reserved = 0, masked = true, declared = BigInt(payload.length) } = shape;
  const form = shape.form ?? (declared < 126n ? 125 : declared < 65_536n ? 126 : 127);
  const maskBit = masked ? 0x80 : 0;
  const head = Buffer.alloc(form === 125 ? 2 : form === 126 ? 4 : 10);
  head[0] = (final ? 0x80 : 0) | (reserved << 4) | code;
  head[1] = maskBit | (form === 125 ? Number(declared & 0x7fn) : form);
  if (form === 126) head.writeUInt16BE(Number(declared & 0xffffn), 2);
  if (form === 127) head.writeBigUInt64BE(BigInt.asUintN(64, declared), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = random.bytes(4);
  const body = Buffer.from(payload);
  for (let index = 0; index < body.length; index++) body[index] = (body[index] as number) ^ (mask[index & 3] as number);
  return Buffer.concat([head, mask, body]);
}

const texts = ["", "a", "hello", "\u0000", "\ufeffmark", "ünïcödé", "漢字", "😀", '{"type":"auth","token":"x"}'];
const lengths = [0, 1, 124, 125, 126, 127, 128, 1_000];
const longLengths = [4_096, 65_535, 65_536, maxMessageSize];
const legalCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const illegalCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
const badUtf8 = ["ff", "80", "c0af", "c3", "e28c", "eda080", "f4908080", "f0808080", "61ff62"].map((hex) =>
  Buffer.from(hex, "hex"),
);

function length(random: FuzzRandom): number {
  return random.pick(random.chance(2) ? longLengths : lengths);
}

function text(random: FuzzRandom): Buffer {
  return Buffer.from(random.chance(50) ? random.pick(texts) : "é".repeat(length(random) >> 1));
}

function binary(random: FuzzRandom): Buffer {
  return Buffer.alloc(length(random), random.int(0, 255));
}

function control(random: FuzzRandom): Buffer {
  return encode(random, random.pick([opcode.ping, opcode.pong]), random.bytes(random.pick([0, 1, 4, 125])));
}

/** A message in several frames, cut without regard to characters, with control frames in between. */
function fragmented(random: FuzzRandom, code: number, payload: Buffer): Buffer {
  const frames: Buffer[] = [];
  const pieces = random.int(2, 4);
  for (let piece = 0, start = 0; piece < pieces; piece++) {
    const final = piece === pieces - 1;
    const end = final ? payload.length : random.int(start, payload.length);
    frames.push(encode(random, piece === 0 ? code : opcode.continuation, payload.subarray(start, end), { final }));
    if (!final && random.chance(30)) frames.push(control(random));
    start = end;
  }
  return Buffer.concat(frames);
}

type Step = (random: FuzzRandom) => Buffer;

const proper: readonly Step[] = [
  (random) => encode(random, opcode.text, text(random)),
  (random) => encode(random, opcode.binary, binary(random)),
  (random) => fragmented(random, opcode.text, text(random)),
  (random) => fragmented(random, opcode.binary, binary(random)),
  control,
];

const odd: Readonly<Record<string, Step>> = {
  "any opcode": (random) => encode(random, random.int(0, 15), random.bytes(random.int(0, 130))),
  "reserved bits": (random) => encode(random, random.int(0, 10), text(random), { reserved: random.int(1, 7) }),
  "no mask": (random) => encode(random, random.pick([1, 2, 8, 9]), text(random), { masked: false }),
  "a length not in its shortest form": (random) =>
    encode(random, opcode.binary, random.bytes(random.int(0, 10)), { form: random.pick([126, 127]) }),
  "a length that lies": (random) =>
    encode(random, random.pick([1, 2, 8, 9, 10]), random.bytes(random.int(0, 20)), {
      declared: random.pick([0n, 1n, 19n, 125n, 126n, 65_535n, 70_001n, 2n ** 31n, 2n ** 32n, 2n ** 63n, -1n]),
    }),
  "a control frame in pieces": (random) => encode(random, random.int(8, 10), text(random), { final: false }),
  "a long control frame": (random) => encode(random, random.int(8, 10), Buffer.alloc(random.pick([126, 127, 70_000]))),
  "a continuation of nothing": (random) => encode(random, 0, text(random), { final: random.chance(50) }),
  "a message inside a message": (random) =>
    Buffer.concat([
      encode(random, random.int(1, 2), text(random), { final: false }),
      encode(random, random.int(1, 2), text(random), { final: random.chance(50) }),
    ]),
  "a message without its end": (random) => encode(random, random.int(1, 2), text(random), { final: false }),
  "bad UTF-8": (random) => encode(random, opcode.text, Buffer.concat([text(random), random.pick(badUtf8)])),
  "bad UTF-8 in pieces": (random) =>
    fragmented(random, opcode.text, Buffer.concat([random.pick(badUtf8), text(random)])),
  "an illegal close code": (random) => encode(random, opcode.close, closePayload(random.pick(illegalCodes), "why")),
  "half a close code": (random) => encode(random, opcode.close, random.bytes(1)),
  "a bad close reason": (random) =>
    encode(random, opcode.close, Buffer.concat([closePayload(1000), random.pick(badUtf8)])),
  "a close, and more": (random) => Buffer.concat([closing(random), random.pick(proper)(random)]),
  "too long a message": (random) => encode(random, random.int(1, 2), Buffer.alloc(maxMessageSize + 1, 97)),
  "any bytes": (random) => random.bytes(random.int(1, 200)),
};
const oddities = Object.entries(odd);

function closing(random: FuzzRandom): Buffer {
  const payload = random.chance(20)
    ? Buffer.alloc(0)
    : closePayload(random.pick(legalCodes), random.pick(["", "why", "ü"]));
  return encode(random, opcode.close, payload);
}

/** Some frames of a client's, and in words what is odd about them. */
export function clientFrames(random: FuzzRandom): { readonly bytes: Buffer; readonly oddities: readonly string[] } {
  const named: string[] = [];
  const steps: Buffer[] = [];
  for (let left = random.int(0, 6); left > 0; left--) {
    if (random.chance(80)) {
      steps.push(random.pick(proper)(random));
    } else {
      const [name, step] = random.pick(oddities);
      named.push(name);
      steps.push(step(random));
    }
  }
  if (random.chance(30)) steps.push(closing(random));
  return { bytes: Buffer.concat(steps), oddities: named };
}
