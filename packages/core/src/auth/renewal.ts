import type { MaybePromise } from "../app.js";
import type { Clock } from "../ports/clock.js";
import type { Grant } from "../ports/token-verifier.js";
import { growScope } from "../scope.js";
import type { MaybeAuthenticated, Renew } from "./authenticated.js";
import type { LeasedConnection } from "./leased-connection.js";
import type { Place, SecurityReports } from "./security-reports.js";
import { anonymousUser } from "./user.js";
import { Refusal } from "./verdict.js";

/** What the renewals of all connections share. */
export interface RenewalOptions {
  readonly judge: (token: string) => MaybePromise<Grant | Refusal>;
  /** By which `expiresIn` is told: that of the leases, where there are any. */
  readonly clock: Pick<Clock, "now">;
  readonly reports: SecurityReports | undefined;
}

/** How the WebSocket of that scope and grant, or of nobody, is renewed. It has a `connection` where there are leases. */
export function renewal(
  options: RenewalOptions,
  scope: Place,
  grant: Grant | undefined,
  connection: LeasedConnection | undefined,
): Renew {
  let current = grant;
  // The function lasts as long as the connection, and with it all that it mentions. So that is not the scope, but the part of it
  // that is told of where somebody listens.
  const place: Place | undefined = options.reports && { type: scope.type, client: scope.client };
  return async (token, check) => {
    const { judge, clock, reports } = options;
    try {
      const since = clock.now();
      const verdict = await judge(token);
      if (verdict instanceof Refusal) throw verdict;
      // Looked at now: another renewal may have been faster.
      if (current !== undefined && current.user.id !== verdict.user.id) throw new Refusal("otherUser");
      check?.(verdict);
      if (connection?.renew(verdict, since) === false) throw new Refusal("invalid");
      current = verdict;
      if (place !== undefined) reports?.renewal(place, verdict);
      const { expiresAt } = verdict;
      return {
        grant: verdict,
        expiresIn: expiresAt === undefined ? undefined : Math.max(0, Math.floor((expiresAt - clock.now()) / 1_000)),
      };
    } catch (error) {
      if (place !== undefined && error instanceof Refusal) reports?.refused(place, error, current);
      throw error;
    }
  };
}

/**
 * How the credential of a scope is renewed. Undefined where nobody offers it, and where the user is another than the
 * grant's: somebody further in has put them there, and whose token it would take is not known.
 */
export function renewOf(scope: object): Renew | undefined {
  const { user, grant, renew }: Partial<MaybeAuthenticated> = scope;
  const own = user === ownUser(grant) || (user?.isAuthenticated === true && user.id === grant?.user.id);
  return own ? renew : undefined;
}

/** The scope after a renewal. Of a user that somebody further in knows more about, that remains known. */
export function renewedScope<Given extends object>(scope: Given, grant: Grant): Given {
  const { user, grant: earlier }: Partial<MaybeAuthenticated> = scope;
  return growScope(scope, { user: user === ownUser(earlier) ? grant.user : user, grant });
}

/** Whom `TokenAuth` puts beside a grant. */
function ownUser(grant: Grant | undefined): MaybeAuthenticated["user"] {
  return grant?.user ?? anonymousUser;
}
