import type { Limits } from "./limits.js";

const mebibyte = 1024 * 1024;

/**
 * Where a transport's parser may give up on a message, in bytes. Twice the limit, by at most 1 MiB more, so that a message
 * somewhat too large still gets its 1009 and one far too large costs no memory.
 */
export function payloadLimit({ maxMessageSize }: Pick<Limits, "maxMessageSize">): number {
  return maxMessageSize + Math.min(maxMessageSize, mebibyte);
}
