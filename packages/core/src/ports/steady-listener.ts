import type { OnSecurityEvent, SecurityEvent } from "./security-events.js";

/** The same listener, but for its failures: what it does with an event must change nothing for a connection. */
export function steadyListener(listener: OnSecurityEvent | undefined): ((event: SecurityEvent) => void) | undefined {
  if (listener === undefined) return undefined;
  return (event) => {
    try {
      const told = listener(event);
      if (told instanceof Promise) told.catch(() => {});
    } catch {
      // As with a logger: where a listener fails there is nobody left to tell.
    }
  };
}
