import type { App } from "./app.js";
import type { Middleware } from "./middleware.js";
import { provide } from "./middleware.js";

interface User {
  readonly name: string;
}
const auth = provide(() => ({ user: { name: "a" } as User }));
const log: Middleware = (inner) => (scope, receive, send) =>
  inner(scope, receive, (event) => {
    void event.type;
    return send(event);
  });
const everything: App = () => {};
export const narrowed: App<"http"> = everything;
export const narrowed2: App<"http" | "websocket"> = everything;
export const n3: App<"websocket"> = auth(everything);
const chat: App<"websocket", { user: User }> = (scope, receive, send) =>
  receive.pipe((event) =>
    event.type === "websocket.receive" ? send({ type: "websocket.send", text: scope.user.name }) : undefined,
  );
// @ts-expect-error a WebSocket application does not serve HTTP
export const wrong: App<"http"> = chat;
// @ts-expect-error nor everything
export const wrong2: App = auth(chat);
export const built: App<"websocket"> = log(auth(chat));
// @ts-expect-error chat needs a user
export const leak: App<"websocket"> = chat;
export const bad: App<"websocket"> = async (_s, _receive, send) => {
  // @ts-expect-error http event on a websocket send
  await send({ type: "http.response.start", status: 200, headers: [] });
  // @ts-expect-error both text and bytes
  await send({ type: "websocket.send", text: "a", bytes: new Uint8Array() });
};
