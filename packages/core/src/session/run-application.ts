import type { App, MaybePromise, Protocol, Receive, Scope, Send } from "../app.js";

/** Calls an application once, and then `returned` or `failed`, at once or later. Never throws. */
export function runApplication<P extends Protocol>(
  app: App<P>,
  scope: Scope<P>,
  receive: Receive<P>,
  send: Send<P>,
  returned: () => void,
  failed: (error: unknown) => void,
): void {
  let running: MaybePromise<void>;
  try {
    running = app(scope, receive, send);
  } catch (error) {
    failed(error);
    return;
  }
  if (running instanceof Promise) running.then(returned, failed);
  else returned();
}
