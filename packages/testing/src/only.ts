import type { App } from "@sluice/core";

/** An application for one protocol, where one for all is asked for. */
export function only<P extends "http" | "websocket">(type: P, app: App<P>): App {
  return (scope, receive, send) => {
    if (scope.type === type) return (app as App)(scope, receive, send);
    throw new Error(`expected a scope of type "${type}", got "${scope.type}"`);
  };
}
