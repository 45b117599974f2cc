/** What the application of a WebSocket has said so far. */
export type ApplicationState = "connecting" | "denying" | "accepted" | "closed";

/** What it may say next. */
export const expectedEvents: Readonly<Record<ApplicationState, string>> = {
  connecting: '"websocket.accept", "websocket.close" or "websocket.http.response.start"',
  denying: '"websocket.http.response.body"',
  accepted: '"websocket.send" or "websocket.close"',
  closed: "nothing after the end of the connection",
};
