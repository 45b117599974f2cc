import { createHash } from "node:crypto";

/** PostgreSQL cuts longer identifiers off. */
const longestIdentifier = 63;

/** The channel that is listened on for a topic: readable where it fits, else a digest. */
export function channelName(prefix: string, topic: string): string {
  const whole = `${prefix}:${topic}`;
  if (whole.length <= longestIdentifier) return whole;
  return `sluice#${createHash("sha256").update(whole).digest("base64url")}`;
}

/** The two numbers of an advisory lock, as PostgreSQL shows them in `pg_locks`: without a sign. */
export interface LockKey {
  readonly high: number;
  readonly low: number;
}

/** The advisory lock that stands for a name. Two names share one by accident only, at odds of 2^64. */
export function lockKey(name: string): LockKey {
  const digest = createHash("sha256").update(name).digest();
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) };
}

/** The arguments for a function such as `pg_advisory_lock`, which takes numbers with a sign. */
export function lockArguments({ high, low }: LockKey): string {
  return `${high | 0}, ${low | 0}`;
}
