import type { Clock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import type { Counts } from "./counts.js";
import type { Limits } from "./limits.js";

/** What every session of a server shares, and whom to tell when it is over. */
export interface SessionContext<Session> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly counts: Counts;
  /** Called once, when the application has returned and the client has gone or has all it was sent. */
  readonly onFinished: (session: Session) => void;
}
