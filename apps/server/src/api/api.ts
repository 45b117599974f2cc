import { type AnonymousUser, type Grant, header, loginOf, type Scope, StoreUnavailable } from "@sluice/core";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { getPathNoStrict } from "hono/utils/url";
import { InvalidFields } from "../accounts/accounts.js";
import { type Login, originOf } from "../accounts/logins.js";
import { jwtLifetime, type Member, type Services, ticketPurpose } from "../services.js";
import { Throttled } from "../throttle/throttled.js";
import type { Guess } from "../throttle/token-guesses.js";
import { badRequest, readFields } from "./fields.js";
import { servePage } from "./page.js";

/** What the pipeline around the API has found out. */
interface Bindings {
  readonly scope: Scope<"http"> &
    Guess & {
      readonly user: Member | AnonymousUser;
      readonly grant: Grant<Member> | undefined;
    };
  /** Why nobody has asked who it is: then there is no scope. */
  readonly refusal?: Throttled;
}

/** Bytes a request may hold: a login is short. */
const maxBodySize = 64 * 1024;

/** Seconds for which others may keep our public keys: a key that begins to sign earlier is asked for by its unknown name. */
const jwksMaxAge = 300;

/** The HTTP side of the application: accounts, tokens, health and the page. */
export function createApi(services: Services): Hono<{ Bindings: Bindings }> {
  const { settings, logger, accounts, jwt, jwtLogins, logins, tickets, database } = services;
  const api = new Hono<{ Bindings: Bindings }>({ getPath: (request) => below(settings.ROOT_PATH, request) });

  api.onError((error) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (error instanceof InvalidFields) return badRequest(error.fields).getResponse();
    if (error instanceof Throttled) {
      const headers = { "retry-after": `${error.retryAfter}` };
      return Response.json({ detail: error.detail }, { status: error.status, headers });
    }
    if (error instanceof StoreUnavailable) {
      logger.error({ err: error }, "a request could not be answered");
      return Response.json({ detail: "Service temporarily unavailable, try again later." }, { status: 503 });
    }
    throw error;
  });
  api.use(
    "/api/*",
    cors({
      origin: settings.ALLOWED_ORIGINS,
      allowHeaders: ["authorization", "content-type"],
      exposeHeaders: ["retry-after"],
      maxAge: 600,
    }),
  );
  api.use("/api/*", bodyLimit({ maxSize: maxBodySize }));
  api.use("/api/*", async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
  });
  api.use(({ env: { refusal } }, next) => {
    if (refusal !== undefined) throw refusal;
    return next();
  });

  const credentials = { username: { required: true }, password: { required: true } } as const;

  api.post("/api/register", async (context) => {
    const fields = await readFields(context, { ...credentials, name: { required: false, allowBlank: true } });
    const user = await accounts.signUp(fields, context.env.scope.client);
    return context.json(publicUser(user), 201);
  });

  api.post("/api/login", async (context) => {
    const login = await logins.byToken(await readFields(context, credentials), originOf(context.env.scope));
    if (login === undefined) throw wrongCredentials();
    return context.json({ token: login.tokens });
  });

  api.post("/api/jwt", async (context) => {
    const login = await logins.byJwt(await readFields(context, credentials), originOf(context.env.scope));
    if (login === undefined) throw wrongCredentials();
    return context.json({ ...login.tokens, expires_in: jwtLifetime / 1000, user: publicUser(login.user) });
  });

  api.post("/api/jwt/refresh", async (context) => {
    const { refresh } = await readFields(context, { refresh: { required: true } });
    const { scope } = context.env;
    const tooMany = scope.guess?.refusal();
    if (tooMany !== undefined) throw tooMany;
    const login = await jwtLogins.renew(refresh, scope);
    if (login === undefined) {
      scope.guess?.wasWrong();
      throw invalidToken();
    }
    return context.json({ ...login, expires_in: jwtLifetime / 1000 });
  });

  api.post("/api/ticket", async (context) => {
    const { scope } = context.env;
    const use = { origin: header(scope, "origin"), purpose: ticketPurpose };
    const { ticket, expiresIn } = await tickets.issue(signedIn(scope), use);
    return context.json({ ticket, expires_in: Math.floor(expiresIn / 1000) });
  });

  api.get("/api/me", (context) => context.json(publicUser(signedIn(context.env.scope).user)));

  api.post("/api/logout", async (context) => {
    await services.logins.end(signedIn(context.env.scope));
    return context.body(null, 204);
  });

  api.get("/api/sessions", async (context) => {
    const grant = signedIn(context.env.scope);
    const present = loginOf(grant);
    return context.json((await logins.listOf(grant.user.id)).map((login) => shownLogin(login, present)));
  });

  api.delete("/api/sessions", async (context) => {
    const grant = signedIn(context.env.scope);
    await logins.endAllOf(grant.user.id, "revoked", grant);
    return context.body(null, 204);
  });

  api.delete("/api/sessions/:id", async (context) => {
    const { user } = signedIn(context.env.scope);
    if (!(await logins.endOne(user.id, context.req.param("id")))) return context.json({ detail: "Not found." }, 404);
    return context.body(null, 204);
  });

  api.post("/api/password", async (context) => {
    const { scope } = context.env;
    const grant = signedIn(scope);
    const { old_password: oldPassword, new_password: newPassword } = await readFields(context, {
      old_password: { required: true },
      new_password: { required: true },
    });
    await accounts.replacePassword(grant.user.id, { oldPassword, newPassword }, scope.client);
    await logins.endAllOf(grant.user.id, "password_changed", grant);
    return context.body(null, 204);
  });

  for (const [path, method] of [
    ["/api/register", "POST"],
    ["/api/login", "POST"],
    ["/api/jwt", "POST"],
    ["/api/jwt/refresh", "POST"],
    ["/api/ticket", "POST"],
    ["/api/me", "GET"],
    ["/api/logout", "POST"],
    ["/api/sessions", "GET, DELETE"],
    ["/api/sessions/:id", "DELETE"],
    ["/api/password", "POST"],
  ] as const) {
    api.all(path, (context) =>
      context.json({ detail: `Method "${context.req.method}" not allowed.` }, 405, { allow: `${method}, OPTIONS` }),
    );
  }

  api.get("/healthz", (context) => context.json({ status: "ok" }));
  api.get("/readyz", async (context) => {
    try {
      await database.ping();
      return context.json({ status: "ready" });
    } catch (error) {
      logger.warn({ err: error }, "not ready");
      return context.json({ status: "unavailable" }, 503);
    }
  });

  api.get("/.well-known/jwks.json", async (context) =>
    // RFC 7517 8.5.2.
    context.body(JSON.stringify(await jwt.jwks()), 200, {
      "content-type": "application/jwk-set+json",
      "cache-control": `public, max-age=${jwksMaxAge}`,
    }),
  );

  servePage(api);
  api.notFound((context) => context.json({ detail: "Not found." }, 404));
  return api;
}

/** The path that routes are asked for: a proxy may leave the root path on it, or take it off. A final slash is the same. */
function below(rootPath: string | undefined, request: Request): string {
  const path = getPathNoStrict(request);
  if (rootPath === undefined || !`${path}/`.startsWith(`${rootPath}/`)) return path;
  return path.slice(rootPath.length) || "/";
}

function publicUser(user: Member): { id: string; username: string; name: string } {
  return { id: user.id, username: user.username, name: user.name };
}

/** A login as its owner is shown it: times as in ISO 8601, `current` for the one that asks. */
function shownLogin({ id, userAgent, createdAt, lastUsedAt, connections }: Login, present: string): object {
  return {
    id,
    user_agent: userAgent ?? null,
    created_at: new Date(createdAt).toISOString(),
    last_used_at: lastUsedAt === undefined ? null : new Date(lastUsedAt).toISOString(),
    current: id === present,
    connections,
  };
}

/** The grant of who asks; answers 401 for anybody else (RFC 6750 3). */
function signedIn({ grant, headers }: Bindings["scope"]): Grant<Member> {
  if (grant !== undefined) return grant;
  if (headers.some(([name]) => name === "authorization")) throw invalidToken();
  throw unauthorized("Authentication credentials were not provided.", "Bearer");
}

function wrongCredentials(): HTTPException {
  return badRequest({ non_field_errors: ["Unable to log in with provided credentials."] });
}

function invalidToken(): HTTPException {
  return unauthorized("Invalid token.", 'Bearer error="invalid_token"');
}

function unauthorized(detail: string, challenge: string): HTTPException {
  return new HTTPException(401, {
    res: Response.json({ detail }, { status: 401, headers: { "www-authenticate": challenge } }),
  });
}
