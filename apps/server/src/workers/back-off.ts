const first = 100;
const longest = 30_000;

/** Milliseconds to wait before the next try, after so many failures in a row: twice as long each time. */
export function backOff(failures: number): number {
  return Math.min(first * 2 ** (failures - 1), longest);
}
