/**
 * What an attempt has to get past. It counts the attempt as a failure from the beginning, and takes that back if it turns out
 * not to be one: so attempts at the same time do not slip past together.
 */
export interface Hurdle {
  /** Counts an attempt, and resolves with 0; or, with the milliseconds to wait, and counts nothing. */
  take(): Promise<number>;
  /** The attempt was none. */
  giveBack(): Promise<unknown>;
  /** The attempt succeeded. */
  clear(): Promise<unknown>;
}
