import * as sluice from "@sluice/core";
import { logOutElsewhere } from "./everywhere.js";

interface Services {
  readonly sessions: sluice.SessionStore;
  readonly leases: sluice.Leases;
  authenticate(username: string, password: string): Promise<sluice.AccountUser | undefined>;
}

const visits = sluice.sessionKey("visits", (kept) => typeof kept === "number");

const form = `<!doctype html>
<form method="post" action="/login">
  <input name="username" autocomplete="username">
  <input name="password" type="password" autocomplete="current-password">
  <button>Log in</button>
</form>`;

const html = (body: string, status = 200) =>
  new Response(body, { status, headers: { "content-type": "text/html; charset=utf-8" } });
const seeOther = (location: string) => new Response(null, { status: 303, headers: { location } });

/** A handler of Hono finds the scope in `c.env.scope`. */
export const createPages = ({ sessions, leases, authenticate }: Services) =>
  sluice.fetchApp<sluice.SessionScope<sluice.AccountUser>>(async (request, { scope }) => {
    switch (`${request.method} ${scope.path}`) {
      case "GET /": {
        if (!scope.user.isAuthenticated) return seeOther("/login");
        scope.session.set(visits, (scope.session.get(visits) ?? 0) + 1);
        return Response.json({ user: scope.user.username, visits: scope.session.get(visits) });
      }
      case "GET /login":
        return html(form);
      case "POST /login": {
        const fields = new URLSearchParams(await request.text());
        const user = await authenticate(fields.get("username") ?? "", fields.get("password") ?? "");
        if (user === undefined) return html(form, 400);
        await sluice.login(scope, user);
        return seeOther("/");
      }
      case "POST /logout":
        await sluice.logout(scope);
        return seeOther("/login");
      case "POST /logout-elsewhere":
        if (scope.user.isAuthenticated) await logOutElsewhere(scope, scope.user, sessions, leases);
        return seeOther("/");
      default:
        return html("Not Found", 404);
    }
  });
