import { beRefused, ofBadToken, ofForeignOrigin } from "./refusal.js";
import type { Server } from "./server.js";

/** Rejects if a server lets in whom it must refuse: it would have less to do than the others. */
export async function checkGate({ port, dialect, tokens }: Server): Promise<void> {
  const all = [
    ofForeignOrigin(dialect, await tokens.fresh()),
    ofBadToken(dialect, undefined, "no token"),
    ofBadToken(dialect, await tokens.forged(), "a forged token"),
    ofBadToken(dialect, await tokens.expired(), "an expired token"),
  ];
  for (const refused of all) (await beRefused(port, refused)).destroy();
}
