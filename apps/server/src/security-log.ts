import type { Clock, FailureEvent, LimitEvent, Logger, RefusalEvent, SecurityEvent } from "@sluice/core";

/** Lines about one reason in a second. */
const linesPerSecond = 10;

/** Takes any event, at once. */
export type TellSecurityEvent = (event: SecurityEvent) => void;

/** What strangers can bring about, as often as they please. */
type Floodable = FailureEvent | RefusalEvent | LimitEvent;

interface Second {
  readonly since: number;
  lines: number;
  unlogged: number;
}

/**
 * Writes one line per event: what goes its way as information, the rest as warnings. That a request has a good token is for
 * who debugs, as the request has a line of its own.
 *
 * What strangers can do without end has ten lines a second for each reason. A line afterwards says how much there was beyond.
 */
export function securityLog(logger: Logger, clock: Clock): TellSecurityEvent {
  const seconds = new Map<string, Second>();

  function warnOf(event: Floodable): void {
    const { type } = event;
    const reason = event.type === "limit" ? event.limit : event.reason;
    const kind = `${type} ${reason}`;
    const now = clock.now();
    let second = seconds.get(kind);
    // Also where the clock was put back.
    if (second === undefined || Math.abs(now - second.since) >= 1_000) {
      second = { since: now, lines: 0, unlogged: 0 };
      seconds.set(kind, second);
    }
    if (second.lines < linesPerSecond) {
      second.lines += 1;
      logger.warn({ event }, "security event");
      return;
    }
    if (second.unlogged === 0) clock.after(1_000, () => sumUp(type, reason, second.unlogged));
    second.unlogged += 1;
  }

  function sumUp(type: Floodable["type"], reason: string, unlogged: number): void {
    logger.warn({ event: { type, [type === "limit" ? "limit" : "reason"]: reason }, unlogged }, "more security events");
  }

  return (event) => {
    switch (event.type) {
      case "login":
        if (event.protocol === "http") logger.debug({ event }, "security event");
        else logger.info({ event }, "security event");
        break;
      case "renewal":
      case "revocation":
        logger.info({ event }, "security event");
        break;
      case "reuse":
        logger.warn({ event }, "security event");
        break;
      default:
        warnOf(event);
    }
  };
}
