import type { App, Connection, MaybePromise, Scope, Send } from "../app.js";
import type { MaybeAuthenticated } from "../auth/authenticated.js";
import { LeasedConnection } from "../auth/leased-connection.js";
import { SecurityReports } from "../auth/security-reports.js";
import { refuseLease } from "../auth/token-auth.js";
import { anonymousUser, type User } from "../auth/user.js";
import type { Leases } from "../leases/leases.js";
import { type Middleware, middleware } from "../middleware.js";
import { type Logger, silentLogger } from "../ports/logger.js";
import type { OnSecurityEvent } from "../ports/security-events.js";
import { steadyLogger } from "../ports/steady-logger.js";
import { growScope } from "../scope.js";
import type { LoginScope } from "./login.js";
import { lookUp } from "./look-up.js";
import { grantOf, SessionLogin } from "./session-login.js";
import type { WithSession } from "./session-middleware.js";

export interface AuthOptions<Who extends User> {
  /** The user of an id; undefined for one who is not there any more, or may not log in. See `activeAccounts`. */
  readonly findUser: (id: string) => MaybePromise<Who | undefined>;
  /**
   * Watches over the sessions of connections that are open: when one ends, by a logout or by its lifetime, its WebSockets
   * are closed with 4401 and the reason. Give it the clock of the sessions. Without it a connection outlives its session.
   */
  readonly leases?: Leases | undefined;
  /** Told when other processes hear later of a logout. Silent if left out. */
  readonly logger?: Logger | undefined;
  /**
   * Told of `login()`, and of what is refused inside; of `logout()` where there are no `leases`, which tell of it themselves.
   * That somebody comes back with a session is no event.
   */
  readonly onSecurityEvent?: OnSecurityEvent | undefined;
}

/** What {@link AuthMiddleware} adds to the scope: what `TokenAuth` adds, and what `login()` and `logout()` work by. */
export interface WithUser<Who extends User = User> extends MaybeAuthenticated<Who>, LoginScope<Who> {}

/**
 * Sets `scope.user` to the user of `scope.session`, or to `AnonymousUser`. A look-up that fails is 503.
 *
 * `requireUser` may stand inside of it, as inside of `TokenAuth`.
 *
 * @example
 * SessionMiddleware(sessions)(AuthMiddleware({ findUser: activeAccounts(database.users) })(chat))
 */
export function AuthMiddleware<Who extends User>(options: AuthOptions<Who>): Middleware<WithSession, WithUser<Who>> {
  const { findUser, leases } = options;
  const logger = steadyLogger(options.logger ?? silentLogger);
  const reports = SecurityReports.to(options.onSecurityEvent);

  return middleware<WithSession>(
    <P extends Connection, Inner extends object>(
      application: App<P, Inner & WithSession & WithUser<Who>>,
    ): App<P, Inner & WithSession> => {
      const inner = reports?.watch(application) ?? application;
      return async (scope, receive, send) => {
        const { session } = scope;
        const { type } = scope as Scope<Connection>;
        const { userId } = session;
        const user = userId === undefined ? undefined : await lookUp("Users", () => findUser(userId));
        const grant = user === undefined ? undefined : grantOf(session, user);
        const connection =
          leases === undefined
            ? undefined
            : new LeasedConnection({
                leases,
                grant,
                since: session.readAt,
                type,
                send: send as Send<Connection>,
                refuse: () => refuseLease(type, "response", send as Send<Connection>),
              });
        const auth = new SessionLogin<Who>({
          session,
          logger,
          place: scope as Scope<Connection>,
          leases,
          connection,
          reports,
        });
        // A token that is renewed further out is not what this user came with.
        const grown = growScope(scope, { user: user ?? anonymousUser, grant, renew: undefined, auth });
        await (connection === undefined
          ? inner(grown, receive, send)
          : connection.run(inner, grown, receive, connection.send));
      };
    },
  ) as Middleware<WithSession, WithUser<Who>>;
}
