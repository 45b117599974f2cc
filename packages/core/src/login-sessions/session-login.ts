import type { LeasedConnection } from "../auth/leased-connection.js";
import type { Place, SecurityReports } from "../auth/security-reports.js";
import type { User } from "../auth/user.js";
import { LayerUnavailable } from "../errors.js";
import type { Leases } from "../leases/leases.js";
import type { Logger } from "../ports/logger.js";
import type { Grant } from "../ports/token-verifier.js";
import type { LoginSession } from "./login-session.js";

export interface SessionLoginOptions {
  readonly session: LoginSession;
  readonly logger: Logger;
  readonly place: Place;
  readonly leases: Leases | undefined;
  /** There where there are leases. */
  readonly connection: LeasedConnection | undefined;
  readonly reports: SecurityReports | undefined;
}

/** Who has logged in on one connection, as `login()` and `logout()` change it. Made by `AuthMiddleware`. */
export class SessionLogin<Who extends User = User> {
  readonly #options: SessionLoginOptions;

  constructor(options: SessionLoginOptions) {
    this.#options = options;
  }

  /** Makes the session this user's. Resolves, when it is in the store, with what the connection is good for now. */
  async login(user: Who): Promise<Grant<Who>> {
    const { session, place, leases, connection, reports } = this.#options;
    const { userId } = session;
    const since = leases?.now() ?? 0;
    const replaced = await session.renew(user.id);
    const grant = grantOf(session, user);
    reports?.login(place, "session", grant);
    // Before the old one is revoked, which would end this connection too.
    connection?.hold(grant, since);
    if (replaced !== undefined && userId !== undefined) await this.#revoke(replaced, userId);
    return grant;
  }

  /** Ends the session. */
  async logout(): Promise<void> {
    const { session, place, connection } = this.#options;
    const { id, userId } = session;
    await session.end();
    // Whoever asks over HTTP gets an answer, where an open WebSocket ends like the others.
    if (place.type === "http" || connection?.begun === false) connection?.hold(undefined, 0);
    if (id !== undefined && userId !== undefined) await this.#revoke(id, userId);
  }

  async #revoke(id: string, userId: string): Promise<void> {
    const { leases, logger, place, reports } = this.#options;
    if (leases === undefined) {
      reports?.loggedOut(place, userId, id);
      return;
    }
    try {
      await leases.revokeSession(id, "logged_out");
    } catch (error) {
      if (!(error instanceof LayerUnavailable)) throw error;
      logger.warn({ err: error, sessionId: id }, "other processes will hear later that a session has ended");
    }
  }
}

/** What a session that is somebody's entitles to. */
export function grantOf<Who extends User>(session: LoginSession, user: Who): Grant<Who> {
  const { id = "", createdAt, expiresAt } = session;
  return { user, tokenId: id, sessionId: id, issuedAt: createdAt, expiresAt };
}
