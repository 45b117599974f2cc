import type { Cancel, Clock } from "../ports/clock.js";

/** Milliseconds between two batches, at the least. */
const step = 50;

/**
 * Shuts the sessions down in batches of equal size, spread evenly over `ms` milliseconds; the first one at once. A timer
 * that comes late takes with it what has fallen due meanwhile. What is returned stops it.
 */
export function drain(sessions: readonly { shutdown(): void }[], ms: number, clock: Clock): Cancel {
  const batches = ms > 0 ? Math.min(sessions.length, Math.ceil(ms / step)) : 1;
  const interval = ms / batches;
  const began = clock.now();
  let done = 0;
  let cancel: Cancel = () => {};
  const shutDown = (): void => {
    const elapsed = clock.now() - began;
    const due = interval > 0 ? Math.floor(elapsed / interval) + 1 : 1;
    const from = Math.round((sessions.length * done) / batches);
    // One more in any case: the clock may have been set back.
    done = Math.min(batches, Math.max(done + 1, due));
    if (done < batches) cancel = clock.after(Math.min(interval, done * interval - elapsed), shutDown);
    const to = Math.round((sessions.length * done) / batches);
    for (const session of sessions.slice(from, to)) session.shutdown();
  };
  if (sessions.length > 0) shutDown();
  return () => cancel();
}
