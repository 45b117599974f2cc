import {
  fetchApp,
  type MaybePromise,
  type Middleware,
  middleware,
  type Receive,
  type Scope,
  type Send,
} from "@sluice/core";
import { Throttled } from "../throttle/throttled.js";

/** Has the API answer whom something refuses on the way to it: it knows what a page of another origin may read. */
export function answeringRefusals(
  answer: (request: Request, refusal: Throttled) => MaybePromise<Response>,
): Middleware {
  return middleware((inner) => (scope, receive, send) => {
    try {
      return inner(scope, receive, send);
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      const refused = fetchApp((request) => answer(request, error));
      return refused(scope as Scope<"http">, receive as Receive<"http">, send as Send<"http">);
    }
  });
}
