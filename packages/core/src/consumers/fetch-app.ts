import type { App, MaybePromise } from "../app.js";
import type { HttpScope } from "../scope.js";
import { fetchRequest } from "./fetch-request.js";
import { sendFetchResponse } from "./fetch-response.js";

/** What a fetch handler gets beside the request. */
export interface FetchContext<Needs extends object = {}> {
  readonly scope: HttpScope & Needs;
}

/** A handler as Hono, h3 and the like have one: a web `Request` in, a web `Response` out. */
export type FetchHandler<Needs extends object = {}> = (
  request: Request,
  context: FetchContext<Needs>,
) => MaybePromise<Response>;

/**
 * Makes an application of a fetch handler. Bodies are streamed both ways, at the pace of whoever reads them; the
 * request's signal aborts, and the response's body is cancelled, when the client leaves.
 *
 * The handler's second argument carries the scope. For Hono that is its bindings: `c.env.scope.user`.
 *
 * What the handler throws becomes 500; an error in a body that is being streamed cuts the connection, since a response
 * that began cannot be taken back. A bad Host header is refused with 400, a method that the fetch standard forbids
 * (CONNECT, TRACE, TRACK) with 405.
 *
 * @example
 * const api = new Hono<{ Bindings: FetchContext<{ user: User }> }>();
 * api.get("/me", (c) => c.json({ name: c.env.scope.user.username }));
 *
 * ProtocolTypeRouter({ http: auth(fetchApp(api.fetch)) });
 */
export function fetchApp<Needs extends object = {}>(handler: FetchHandler<Needs>): App<"http", Needs> {
  return async (scope, receive, send) => {
    const response = await handler(fetchRequest(scope, receive), { scope });
    await sendFetchResponse(response, scope, send);
  };
}
