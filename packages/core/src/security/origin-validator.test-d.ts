/** What the compiler knows about origin validators. Compiled, never run. */
import type { App } from "../app.js";
import { type Middleware, provide, stack } from "../middleware.js";
import { AllowedHostsOriginValidator, OriginValidator } from "./origin-validator.js";

interface User {
  readonly name: string;
}
declare const chat: App<"websocket", { readonly user: User }>;
declare const everything: App;
const user = provide((): { user: User } => ({ user: { name: "ann" } }));

// Around an application a validator changes nothing about what that needs and serves.

export const inside: App<"websocket"> = user(OriginValidator(chat, ["example.com"]));
export const outside: App<"websocket"> = AllowedHostsOriginValidator(user(chat), [], { allowMissingOrigin: true });
export const both: App<"http" | "websocket"> = OriginValidator(everything, ["*"] as const);
export const written: App<"websocket"> = OriginValidator((scope) => void scope.subprotocols, ["*"]);
// @ts-expect-error nobody supplies the user
export const withoutUser: App<"websocket"> = OriginValidator(chat, ["*"]);
// @ts-expect-error a WebSocket application serves no HTTP
export const wrongProtocol: App<"http"> = OriginValidator(user(chat), ["*"]);

// Without one it is a middleware that needs and adds nothing.

export const gate: Middleware = OriginValidator(["example.com"]);
export const hosts: Middleware = AllowedHostsOriginValidator(["example.com"], { allowMissingOrigin: true });
export const stacked: App<"websocket"> = stack<"websocket">()
  .use(OriginValidator(["*"]))
  .use(user)
  .app(chat);
export const nested: App<"websocket"> = OriginValidator(["*"])(user(AllowedHostsOriginValidator([])(chat)));

// @ts-expect-error a list, so that one host is not taken for its letters
OriginValidator(everything, "example.com");
// @ts-expect-error a validator is told whom to let in
OriginValidator(everything);
// @ts-expect-error there is no such option
AllowedHostsOriginValidator(everything, [], { allowMissing: true });
