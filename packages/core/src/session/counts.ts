import type { ServerCounts } from "../ports/server.js";

/** The counts as the sessions write them. */
export class Counts implements ServerCounts {
  slowConsumers = 0;
  fullInboxes = 0;
  refused = 0;
}
