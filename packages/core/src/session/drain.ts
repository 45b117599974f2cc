import type { Cancel, Clock } from "../ports/clock.js";

/** Milliseconds between two batches, at the least. */
const step = 50;

/**
 * Shuts the sessions down in batches of equal size, spread evenly over `ms` milliseconds; the first one at once. What is
 * returned stops it.
 */
export function drain(sessions: readonly { shutdown(): void }[], ms: number, clock: Clock): Cancel {
  const batches = ms > 0 ? Math.min(sessions.length, Math.ceil(ms / step)) : 1;
  let cancel: Cancel = () => {};
  const shutDown = (batch: number): void => {
    if (batch + 1 < batches) cancel = clock.after(ms / batches, () => shutDown(batch + 1));
    const from = Math.round((sessions.length * batch) / batches);
    const to = Math.round((sessions.length * (batch + 1)) / batches);
    for (const session of sessions.slice(from, to)) session.shutdown();
  };
  if (sessions.length > 0) shutDown(0);
  return () => cancel();
}
