import { limitConnections, limitMessages, type MaybeAuthenticated, type Middleware, middleware } from "@sluice/core";
import type { Services } from "../services.js";

type Paced = Pick<Services, "settings" | "onSecurityEvent">;

const unbounded: Middleware = middleware((inner) => inner);

/** What one client may send. */
export function clientPace({ settings, onSecurityEvent }: Paced): Middleware {
  const { MAX_MESSAGES_PER_SECOND: perSecond } = settings;
  return perSecond === 0 ? unbounded : limitMessages({ perSecond, onSecurityEvent });
}

/** What the clients of one user may send together, and how many there may be. Stands inside of `TokenAuth`. */
export function userPace({ settings, onSecurityEvent }: Paced): Middleware<MaybeAuthenticated> {
  const { MAX_MESSAGES_PER_SECOND_PER_USER: perSecond, MAX_CONNECTIONS_PER_USER: max } = settings;
  const by = ({ user }: MaybeAuthenticated): string | undefined => (user.isAuthenticated ? user.id : undefined);
  const messages = perSecond === 0 ? unbounded : limitMessages({ perSecond, by, onSecurityEvent });
  const connections = max === 0 ? unbounded : limitConnections({ max, by, onSecurityEvent });
  return middleware<MaybeAuthenticated>((inner) => connections(messages(inner)));
}
