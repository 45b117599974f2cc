import { latePath } from "./fuzz-application.js";
import type { FuzzCase } from "./fuzz-cases.js";
import type { Capability, TransportContract } from "./harness.js";

/** What a driver may be unable to do, beyond what the contract knows of. */
export type FuzzCapability =
  /** Reads a request line in whatever pieces it comes. */
  | "readsSplitRequestLines"
  /** Refuses a header line without a name, or at least reads those after it. */
  | "refusesEmptyNames"
  /** Fails a connection whose client begins a message inside of another. */
  | "refusesNestedMessages"
  /** Keeps a connection whose handshake was accepted in a later turn of the event loop. */
  | "keepsLateUpgrades";

export interface FuzzContract extends Omit<TransportContract, "lacks"> {
  /** What this transport cannot do, each with the reason. */
  readonly lacks?: Readonly<Partial<Record<Capability | FuzzCapability, string>>>;
}

/** The case as it is held against a transport that lacks something. What is sent stays the same. */
export function forgiving(fuzzCase: FuzzCase, lacks: NonNullable<FuzzContract["lacks"]>): FuzzCase {
  const { bytes, cuts, deserves } = fuzzCase;
  const isSplit = cuts.some((cut) => cut > 0 && cut < bytes.indexOf("\n"));
  return {
    ...fuzzCase,
    deserves: isSplit && lacks.readsSplitRequestLines !== undefined ? undefined : deserves,
    mayBeCut: lacks.keepsLateUpgrades !== undefined && bytes.includes(latePath),
  };
}
