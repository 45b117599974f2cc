/** What a server must make of a client's frames (RFC 6455 5 to 7), written without regard to how any server does it. */
import { maxMessageSize } from "./fuzz-frames.js";

export interface Message {
  readonly isText: boolean;
  readonly payload: Buffer;
}

export interface ClientSide {
  /** Those that were complete before anything was wrong. */
  readonly messages: readonly Message[];
  readonly pings: readonly Buffer[];
  /** What it has closed with, properly; 1005 for nothing. */
  readonly closeCode?: number;
  /**
   * `"open"`: nothing to complain of, and nothing half said. `"closed"`: the client has closed properly. `"failed"`: it
   * has broken a rule. `"unsure"`: it has said something by half, or something that a server may let pass.
   */
  readonly state: "open" | "closed" | "failed" | "unsure";
  /** What a server must be capable of to see that it has failed, where not every one is. */
  readonly check?: "checksMask" | "refusesNestedMessages";
}

interface RawFrame {
  readonly final: boolean;
  readonly reserved: number;
  readonly code: number;
  readonly masked: boolean;
  readonly shortest: boolean;
  readonly length: bigint;
  readonly payload: Buffer;
  readonly end: number;
}

const strict = new TextDecoder("utf-8", { fatal: true });

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** RFC 6455 7.4, and the codes that were registered with IANA later. */
function isCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
}

/** True for what a close frame may hold: nothing, or a code and a reason in UTF-8. */
export function isClosePayload(payload: Buffer): boolean {
  if (payload.length === 0) return true;
  return payload.length >= 2 && isCloseCode(payload.readUInt16BE()) && isUtf8(payload.subarray(2));
}

/** 1005 for a close frame without a code. */
export function closeCodeOf(payload: Buffer): number {
  return payload.length === 0 ? 1005 : payload.readUInt16BE();
}

/** The frame at `start`, as far as its head goes. Undefined if the head is not complete; a short payload shows in `end`. */
export function rawFrameAt(bytes: Buffer, start: number): RawFrame | undefined {
  if (bytes.length < start + 2) return undefined;
  const [first, second] = [bytes.readUInt8(start), bytes.readUInt8(start + 1)];
  const masked = second >= 128;
  const form = second & 127;
  const lengthBytes = form === 126 ? 2 : form === 127 ? 8 : 0;
  const maskAt = start + 2 + lengthBytes;
  const payloadAt = maskAt + (masked ? 4 : 0);
  if (bytes.length < payloadAt) return undefined;
  let length = BigInt(form);
  if (form === 126) length = BigInt(bytes.readUInt16BE(start + 2));
  if (form === 127) length = bytes.readBigUInt64BE(start + 2);
  const end = payloadAt + Number(length);
  const payload = Buffer.from(bytes.subarray(payloadAt, end));
  if (masked) {
    for (let at = 0; at < payload.length; at++)
      payload[at] = (payload[at] as number) ^ bytes.readUInt8(maskAt + (at & 3));
  }
  const shortest = form < 126 || (form === 126 ? length > 125n : length > 65_535n);
  return { final: first >= 128, reserved: (first >> 4) & 7, code: first & 15, masked, shortest, length, payload, end };
}

/** True for what must not stand in any frame, whoever sends it. */
export function isBadFrame({ final, reserved, code, length }: RawFrame): boolean {
  return reserved !== 0 || (code > 2 && code < 8) || code > 10 || (code >= 8 && (!final || length > 125n));
}

export function readClientFrames(bytes: Buffer): ClientSide {
  const messages: Message[] = [];
  const pings: Buffer[] = [];
  let open: { readonly isText: boolean; readonly parts: Buffer[]; size: number } | undefined;
  let lax = false;
  const ended = (state: ClientSide["state"]): ClientSide => ({
    messages,
    pings,
    state: state === "open" && lax ? "unsure" : state,
  });
  for (let at = 0; at < bytes.length; ) {
    const frame = rawFrameAt(bytes, at);
    // What the rest would have been decides, and servers differ in how early they look.
    if (frame === undefined || frame.end > bytes.length) return ended("unsure");
    if (!frame.masked) return { ...ended("failed"), check: "checksMask" };
    if (isBadFrame(frame)) return ended("failed");
    // Forbidden by RFC 6455 5.2, and checked by hardly anybody.
    lax ||= !frame.shortest;
    at = frame.end;
    if (frame.code === 8 && !isClosePayload(frame.payload)) return ended("failed");
    if (frame.code === 8) return { ...ended("closed"), closeCode: closeCodeOf(frame.payload) };
    if (frame.code === 9) pings.push(frame.payload);
    if (frame.code > 2) continue;
    if (frame.code === 0 && open === undefined) return ended("failed");
    if (frame.code !== 0 && open !== undefined) return { ...ended("failed"), check: "refusesNestedMessages" };
    open ??= { isText: frame.code === 1, parts: [], size: 0 };
    open.parts.push(frame.payload);
    open.size += frame.payload.length;
    if (!frame.final) continue;
    if (open.size > maxMessageSize) return ended("failed");
    const payload = Buffer.concat(open.parts);
    if (open.isText && !isUtf8(payload)) return ended("failed");
    messages.push({ isText: open.isText, payload });
    open = undefined;
  }
  return ended(open === undefined ? "open" : "unsure");
}
