import { clientFrames } from "./fuzz-frames.js";
import { FuzzRandom } from "./fuzz-random.js";
import { encodeHead, handshakeHead, mutateHead, requestHead, requestWithBody } from "./fuzz-requests.js";

/** What one client says, and how it leaves. */
export interface FuzzCase {
  /** What is odd about it, in words. */
  readonly title: string;
  /** All it says. */
  readonly bytes: Buffer;
  /** Where it pauses for a turn of the event loop, so that the server sees the bytes in several pieces. */
  readonly cuts: readonly number[];
  /** How long the handshake is, after which it waits for the answer. */
  readonly waitsAfter: number | undefined;
  /** The status that a proper request deserves, where it is one. */
  readonly deserves: 101 | 200 | undefined;
  /** True if nobody is to blame for an end in its midst. */
  readonly mayBeCut: boolean;
  /** When it has said all: closes once the server is silent, closes its half of the connection first, or cuts it. */
  readonly end: "close" | "half close" | "reset";
}

type Draft = Pick<FuzzCase, "title" | "bytes"> & Partial<FuzzCase>;

/** The case of that number, which is the same whenever it is asked for. */
export function fuzzCase(seed: number, caseNumber: number): FuzzCase {
  const random = new FuzzRandom(seed, caseNumber);
  const draft = spoil(random.pick(kinds)(random), random);
  const cuts = random.chance(60)
    ? Array.from({ length: random.int(1, 6) }, () => random.int(0, draft.bytes.length)).sort((a, b) => a - b)
    : [];
  const end = random.pick(["close", "close", "close", "half close", "reset"] as const);
  return { waitsAfter: undefined, deserves: undefined, mayBeCut: false, ...draft, cuts, end };
}

const conversation = (random: FuzzRandom): Draft => {
  const head = encodeHead(handshakeHead(random));
  const frames = clientFrames(random);
  return {
    title: ["a WebSocket", ...frames.oddities].join(" with "),
    bytes: Buffer.concat([head, frames.bytes]),
    waitsAfter: random.chance(80) ? head.length : undefined,
    deserves: head.includes("/refuse") ? undefined : 101,
  };
};

const badHandshake = (random: FuzzRandom): Draft => {
  const head = handshakeHead(random);
  const changes = mutateHead(head, random);
  const bytes = encodeHead(head);
  return {
    title: ["a handshake", ...changes].join(" with "),
    bytes: random.chance(30) ? Buffer.concat([bytes, clientFrames(random).bytes]) : bytes,
    waitsAfter: random.chance(50) ? bytes.length : undefined,
  };
};

const request = (random: FuzzRandom): Draft => ({
  title: "a request",
  bytes: encodeHead(requestHead(random)),
  deserves: 200,
});

const badRequest = (random: FuzzRandom): Draft => {
  if (random.chance(50)) return { title: "a request with a body", bytes: requestWithBody(random) };
  const head = requestHead(random);
  return { title: ["a request", ...mutateHead(head, random)].join(" with "), bytes: encodeHead(head) };
};

const pipeline = (random: FuzzRandom): Draft => {
  const parts = Array.from({ length: random.int(2, 4) }, () =>
    random.pick([request, badRequest, conversation])(random),
  );
  return {
    title: `in one go ${parts.map(({ title }) => title).join(", ")}`,
    bytes: Buffer.concat(parts.map(({ bytes }) => bytes)),
  };
};

const strangers = [
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\r\n\r\n\r\n\r\n",
  "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003",
  "SSH-2.0-OpenSSH_9.6\r\n",
  "\r\n\r\n\u0000\r\nQUIT\n!\u0011\u0000\u000c",
  " ",
  "\u0000",
];

const stranger = (random: FuzzRandom): Draft => ({
  title: "another protocol",
  bytes: random.chance(50) ? random.bytes(random.int(0, 300)) : Buffer.from(random.pick(strangers), "latin1"),
});

/** One entry is one in ten. */
const kinds = [
  conversation,
  conversation,
  conversation,
  conversation,
  badHandshake,
  badHandshake,
  badRequest,
  request,
  pipeline,
  stranger,
];

/** Damages the bytes of some cases, without regard to what they mean. */
function spoil(draft: Draft, random: FuzzRandom): Draft {
  if (!random.chance(25) || draft.bytes.length === 0) return draft;
  const { title, bytes, waitsAfter, deserves } = draft;
  const head = bytes.indexOf("\r\n\r\n") + 4;
  // Anywhere, or behind the first request, where most of the bytes of a conversation are not.
  const from = head < bytes.length && random.chance(50) ? head : 0;
  const [name, damage] = random.pick(damages);
  const spoiled = damage(bytes, random.int(from, bytes.length - 1), random);
  const intact =
    bytes.subarray(0, head).equals(spoiled.subarray(0, head)) && (deserves !== 200 || spoiled.length === head);
  return { title: `${title}, ${name}`, bytes: spoiled, ...(intact && { waitsAfter, deserves }) };
}

type Damage = (bytes: Buffer, at: number, random: FuzzRandom) => Buffer;

const replace = (bytes: Buffer, at: number, length: number, by: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)]);

const cutOff: Damage = (bytes, at) => bytes.subarray(0, at);

const damages: readonly (readonly [name: string, damage: Damage])[] = [
  ["cut off", cutOff],
  ["cut off", cutOff],
  [
    "a bit flipped",
    (bytes, at, random) => replace(bytes, at, 1, Buffer.from([(bytes[at] ?? 0) ^ (1 << random.int(0, 7))])),
  ],
  ["a byte replaced", (bytes, at, random) => replace(bytes, at, 1, random.bytes(1))],
  ["bytes inserted", (bytes, at, random) => replace(bytes, at, 0, random.bytes(random.int(1, 8)))],
  ["bytes left out", (bytes, at, random) => replace(bytes, at, random.int(1, 8), Buffer.alloc(0))],
  ["bytes repeated", (bytes, at, random) => replace(bytes, at, 0, bytes.subarray(at, at + random.int(1, 60)))],
  ["LF for CRLF", (bytes) => Buffer.from(bytes.toString("latin1").replaceAll("\r\n", "\n"), "latin1")],
  ["CR for CRLF", (bytes) => Buffer.from(bytes.toString("latin1").replaceAll("\r\n", "\r"), "latin1")],
  ["an empty line first", (bytes) => Buffer.concat([Buffer.from("\r\n"), bytes])],
];
