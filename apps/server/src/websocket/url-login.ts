import { type Connection, DenyConnection, type Middleware, provide, RouteNotFound, type Scope } from "@sluice/core";
import type { Member, Services } from "../services.js";

/**
 * Credentials as the last two segments of the URL: what some devices can do and nothing else can. They end up in the
 * logs of every proxy on the way, so an operator has to switch this on.
 */
export const UrlLogin: Middleware<{ services: Services }, { user: Member }> = provide(
  async ({ rawPath, client, services }: Scope<Connection> & { services: Services }) => {
    // From the raw path: a password may hold a slash, which is a separator once it is decoded.
    const segments = /\/ws\/auth\/([^/]+)\/([^/]+)\/$/.exec(rawPath)?.slice(1);
    if (segments === undefined) throw new RouteNotFound("expected a username and a password behind /ws/auth/");
    const [username = "", password = ""] = segments.map(decodeURIComponent);
    const user = await services.accounts.authenticate(username, password, client);
    if (user === undefined) throw new DenyConnection({ status: 401, closeCode: 4401 });
    return { user };
  },
);
