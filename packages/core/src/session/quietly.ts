import type { MaybePromise } from "../app.js";

/** Sends what the client need not get: it may have gone just before, and then there is nobody to tell. */
export function quietly(step: () => MaybePromise<void>): void {
  try {
    const done = step();
    if (done instanceof Promise) done.catch(() => {});
  } catch {
    // As above.
  }
}
