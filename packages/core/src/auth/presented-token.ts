import type { Connection, Scope } from "../app.js";
import type { Carrier } from "./carriers.js";
import type { User } from "./user.js";

export interface PresentedToken {
  readonly token: string;
  /** The first that found it. */
  readonly carrier: Carrier<User>;
}

/** The name of the carrier, if there was one token. */
export function presentedBy(presented: PresentedToken | "ambiguous" | undefined): string | undefined {
  return typeof presented === "object" ? presented.carrier.name : undefined;
}

/**
 * The token of a request, however often it stands there; undefined for none. Two are `"ambiguous"`, and so is one text
 * that stands where different things are meant by it.
 */
export function presentedToken(
  carriers: readonly Carrier<User>[],
  scope: Scope<Connection>,
): PresentedToken | "ambiguous" | undefined {
  let presented: PresentedToken | undefined;
  for (const carrier of carriers) {
    for (const token of carrier.find(scope)) {
      if (presented === undefined) presented = { token, carrier };
      else if (token !== presented.token || carrier.verifierFor !== presented.carrier.verifierFor) return "ambiguous";
    }
  }
  return presented;
}
