import type { Connection, Scope } from "../app.js";
import { SecurityReports } from "../auth/security-reports.js";
import { DenyConnection } from "../errors.js";
import { type Middleware, middleware } from "../middleware.js";
import type { OnSecurityEvent } from "../ports/security-events.js";
import { checkRange } from "../session/check-range.js";

export interface ConnectionLimit<Needs extends object = {}> {
  /** WebSockets at a time: 1 to 1,000,000. */
  readonly max: number;
  /** Whose connections count together, in this process: a user's id. Asked when a connection comes; undefined counts none. */
  readonly by: (scope: Scope<"websocket"> & Needs) => string | undefined;
  /** Told of each connection that is refused for it. */
  readonly onExceeded?: ((scope: Scope<"websocket"> & Needs) => void) | undefined;
  /** Told of it, too. */
  readonly onSecurityEvent?: OnSecurityEvent | undefined;
}

/**
 * Middleware that bounds how many WebSockets may be open in one name. One more is refused with 429 and `Retry-After`, or
 * closed with 4429 where it is open already. A connection counts until its application has returned. HTTP passes.
 *
 * Throws `ConfigurationError` for a number out of range.
 *
 * @example
 * requireUser(limitConnections({ max: 20, by: ({ user }: Authenticated) => user.id })(chat));
 */
export function limitConnections<Needs extends object = {}>(options: ConnectionLimit<Needs>): Middleware<Needs> {
  const { max, by, onExceeded } = options;
  checkRange("max", max, 1, 1_000_000);
  const reports = SecurityReports.to(options.onSecurityEvent);
  const counts = new Map<string, number>();

  function release(name: string): void {
    const count = counts.get(name) ?? 0;
    if (count > 1) counts.set(name, count - 1);
    else counts.delete(name);
  }

  return middleware<Needs>((inner) => async (scope, receive, send) => {
    if ((scope as Scope<Connection>).type !== "websocket") return inner(scope, receive, send);
    const socket = scope as unknown as Scope<"websocket"> & Needs;
    const name = by(socket);
    if (name === undefined) return inner(scope, receive, send);
    const count = counts.get(name) ?? 0;
    if (count >= max) {
      onExceeded?.(socket);
      reports?.limit(socket, "connections");
      throw tooMany();
    }
    counts.set(name, count + 1);
    try {
      await inner(scope, receive, send);
    } finally {
      release(name);
    }
  });
}

function tooMany(): DenyConnection {
  return new DenyConnection({
    status: 429,
    closeCode: 4429,
    headers: [
      ["content-type", "application/json"],
      ["retry-after", "1"],
    ],
    body: JSON.stringify({ detail: "Too many connections." }),
  });
}
