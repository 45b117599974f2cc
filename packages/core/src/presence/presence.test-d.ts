/** What the compiler knows about presence. Compiled, never run. */
import type { App, Connection, Scope } from "../app.js";
import type { Authenticated } from "../auth/authenticated.js";
import { fromHeader } from "../auth/carriers.js";
import { TokenAuth } from "../auth/token-auth.js";
import type { AnonymousUser, User } from "../auth/user.js";
import { asApp } from "../consumers/as-app.js";
import type { LayerEvent } from "../consumers/layer-events.js";
import { WebsocketConsumer } from "../consumers/websocket-consumer.js";
import { type Middleware, stack } from "../middleware.js";
import type { ChannelLayer } from "../ports/channel-layer.js";
import type { TokenVerifier } from "../ports/token-verifier.js";
import { path } from "../routing/path.js";
import type { Member, PresenceEvents, Present } from "./member.js";
import { type Presence, presence } from "./presence.js";

/** True only for one and the same type. */
type Same<Left, Right> =
  (<Type>() => Type extends Left ? 1 : 2) extends <Type>() => Type extends Right ? 1 : 2 ? true : false;
declare function same<Left, Right>(same: Same<Left, Right>): void;

interface Account extends User {
  readonly plan: "free" | "paid";
}
interface Info {
  readonly plan: "free" | "paid";
}
declare const layer: ChannelLayer;
declare const verifier: TokenVerifier<User>;
declare const accounts: TokenVerifier<Account>;
const from = [fromHeader()];

// Without a description.

const here = presence(layer);
same<typeof here, Presence>(true);
same<ReturnType<typeof here.members>, readonly Member[]>(true);
export const inLobby: Middleware<{ readonly user: User | AnonymousUser }, Present> = here.in("lobby");

interface ChatEvents extends PresenceEvents {
  "chat.message": { text: string };
}
class Chat extends WebsocketConsumer<Present & { user: User | AnonymousUser }, ChatEvents> {
  static readonly handlers = ["chat.message", "presence.join", "presence.leave"] as const;
  override readonly groups = ["room", this.scope.presence.events];

  override connect() {
    const count: number = this.scope.presence.count();
    // @ts-expect-error the group of the events is no name for members()
    void this.scope.presence.group;
    return count > 100 ? this.close() : this.accept();
  }
  chatMessage({ text }: LayerEvent<ChatEvents, "chat.message">) {
    return this.send(text);
  }
  presenceJoin({ group, member }: LayerEvent<ChatEvents, "presence.join">) {
    same<typeof member, Member>(true);
    return this.send(`${member.username} ${group}`);
  }
  presenceLeave() {}
}
const chat = here.in("lobby")(asApp(Chat, { layer }));
export const needsUser: App<"websocket", { user: User | AnonymousUser }> = chat;
export const complete: App<"websocket"> = TokenAuth(chat, { verifier, from });
export const denying: App<"websocket"> = TokenAuth(chat, { verifier, from, onAnonymous: "deny" });
export const stacked: App<"websocket"> = stack<"websocket">()
  .use(TokenAuth({ verifier, from, onAnonymous: "deny" }))
  .use(here.in("lobby"))
  .app(asApp(Chat, { layer }));
// @ts-expect-error nobody says who the user is
export const nobody: App<"websocket"> = chat;
// @ts-expect-error nobody says who is here
export const noPresence: App<"websocket"> = TokenAuth(asApp(Chat, { layer }), { verifier, from });
// @ts-expect-error the user comes too late
stack<"websocket">().use(here.in("lobby"));
// @ts-expect-error not a group
here.in(7);

class Deaf extends WebsocketConsumer<Present, ChatEvents> {
  static readonly handlers = ["chat.message", "presence.join"] as const;
  chatMessage() {}
  presenceJoin() {}
}
// @ts-expect-error handlers do not list presence.leave
asApp(Deaf, { layer });

/** A user who must be known stays one. */
declare const forUser: App<"websocket", Authenticated & Present>;
export const known: App<"websocket"> = TokenAuth(here.in("lobby")(forUser), { verifier, from, onAnonymous: "deny" });
// @ts-expect-error an anonymous user is none
TokenAuth(here.in("lobby")(forUser), { verifier, from });

// With one, which types what is told, and asks for the user it describes.

const described = presence(layer, { describe: (user: Account): Info => ({ plan: user.plan }) });
same<typeof described, Presence<Account, Info>>(true);
same<ReturnType<typeof described.members>, readonly Member<Info>[]>(true);
const inferred = presence(layer, {
  describe: (user, scope) => {
    same<typeof user, User>(true);
    return { name: user.username, at: scope.path };
  },
});
same<typeof inferred, Presence<User, { name: string; at: string }>>(true);
// @ts-expect-error information is an object
presence(layer, { describe: () => "free" });

declare const forInfo: App<"websocket", Present<Info>>;
declare const forOther: App<"websocket", Present<{ color: string }>>;
const informed = described.in("lobby")(forInfo);
export const informedAccounts: App<"websocket"> = TokenAuth(informed, { verifier: accounts, from });
// @ts-expect-error that verifier knows no plans
TokenAuth(informed, { verifier, from });
// @ts-expect-error nobody describes a color
export const colored: App<"websocket", { user: Account | AnonymousUser }> = described.in("lobby")(forOther);
// @ts-expect-error nobody describes a plan
export const planned: App<"websocket", { user: User | AnonymousUser }> = here.in("lobby")(forInfo);
described.in("lobby")((scope) => {
  same<typeof scope.presence, Present<Info>["presence"]>(true);
});

// The group may come from the scope, which then is asked for it.

type RoomRoute = { readonly urlRoute: { readonly kwargs: { readonly room: string } } };
const inRoom = here.in((scope: Scope<Connection> & RoomRoute) => `room.${scope.urlRoute.kwargs.room}`);
same<typeof inRoom, Middleware<RoomRoute & { readonly user: User | AnonymousUser }, Present>>(true);
const room = inRoom(asApp(Chat, { layer }));
export const routed = path("ws/<room>/", room);
// @ts-expect-error nobody gives it a room
export const nowhere: App<"websocket", { user: User | AnonymousUser }> = room;
// @ts-expect-error the room is a number there
path("ws/<int:room>/", room);
export const byPath: Middleware<{ readonly user: User | AnonymousUser }, Present> = here.in((scope) => scope.path);
export const overHttp: App<"http", { user: User | AnonymousUser }> = here.in("lobby")(
  (scope: Scope<"http"> & Present) => {
    void scope.presence.members();
  },
);
