import { beRefused, ofBadToken, ofForeignOrigin } from "./refusal.js";
import type { Server } from "./server.js";

/** Rejects if a server lets in whom it must refuse: it would have less to do than the others. */
export async function checkGate({ port, dialect, tokens }: Server): Promise<void> {
  await beRefused(port, ofForeignOrigin(dialect, await tokens.fresh()));
  await beRefused(port, ofBadToken(dialect, undefined, "no token"));
  await beRefused(port, ofBadToken(dialect, await tokens.forged(), "a forged token"));
  await beRefused(port, ofBadToken(dialect, await tokens.expired(), "an expired token"));
}
