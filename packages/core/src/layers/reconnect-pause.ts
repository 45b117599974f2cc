/** Milliseconds: what was lost is to be heard again within two seconds of its return. */
const first = 50;
const longest = 500;

/**
 * Milliseconds that a broker waits before it calls a lost server again, after so many failures in a row. It doubles, and is
 * cut by chance to between half and all of it, so that many processes do not call at once.
 */
export function reconnectPause(failures: number): number {
  return Math.min(first * 2 ** failures, longest) * (0.5 + Math.random() / 2);
}
