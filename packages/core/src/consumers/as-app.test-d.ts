import type { App } from "../app.js";
import { provide } from "../middleware.js";
import type { ChannelLayer, LayerGap } from "../ports/channel-layer.js";
import { ChannelNameRouter } from "../routing/channel-name-router.js";
import { ProtocolTypeRouter } from "../routing/protocol-type-router.js";
import { runWorker } from "../workers/run-worker.js";
import { asApp } from "./as-app.js";
import type { ConsumerContext } from "./consumer.js";
import { HttpConsumer } from "./http-consumer.js";
import { JsonWebsocketConsumer } from "./json-websocket-consumer.js";
import type { HandlerName } from "./layer-events.js";
import type { SchemaOutput, StandardSchemaV1 } from "./standard-schema.js";
import { WebsocketConsumer } from "./websocket-consumer.js";
import { WorkerConsumer, type WorkerContext } from "./worker-consumer.js";

interface User {
  readonly name: string;
}
interface Typing {
  readonly on: boolean;
}
interface ChatEvents {
  "chat.message": { text: string };
  user_typing: Typing;
}
type Same<Left, Right> = [Left, Right] extends [Right, Left] ? true : never;
declare const layer: ChannelLayer;

/** What a class declares arrives in its members. */
class Chat extends WebsocketConsumer<{ user: User }, ChatEvents> {
  static readonly handlers = ["chat.message", "user_typing"] as const;
  readonly room = `room.${this.scope.user.name}`;
  override readonly groups = [this.room];

  override async receive(data: string | Uint8Array) {
    const { name }: User = this.scope.user;
    const offered: readonly string[] = this.scope.subprotocols;
    await this.channelLayer.groupSend(this.room, { type: "chat.message", text: `${name} ${String(data)} ${offered}` });
    await this.channelLayer.send(this.channelName, { type: "user_typing", on: true });
    // @ts-expect-error a wrong field
    await this.channelLayer.groupSend(this.room, { type: "chat.message", txt: "a" });
    // @ts-expect-error a wrong type of field
    await this.channelLayer.groupSend(this.room, { type: "chat.message", text: 1 });
    // @ts-expect-error a field of another event
    await this.channelLayer.groupSend(this.room, { type: "chat.message", text: "a", on: true });
    // @ts-expect-error an unknown event
    await this.channelLayer.groupSend(this.room, { type: "chat.unknown" });
    // @ts-expect-error what the whole application shares is not one consumer's to close
    await this.channelLayer.close();
  }
  chatMessage(event: { type: "chat.message"; text: string }) {
    return this.send(event.text);
  }
  user_typing(event: Typing) {
    void event.on;
  }
}

/** What the class needs, its application needs. */
export const chat: App<"websocket", { user: User }> = asApp(Chat, { layer });
export const exactly: Same<typeof chat, ReturnType<typeof asApp<typeof Chat>>> = true;
// @ts-expect-error nobody gives it a user
export const withoutUser: App<"websocket"> = asApp(Chat, { layer });
const auth = provide(() => ({ user: { name: "a" } }));
export const withUser: App<"websocket"> = auth(asApp(Chat, { layer }));
// @ts-expect-error a WebSocket consumer does not serve HTTP
export const overHttp: App<"http"> = auth(asApp(Chat, { layer }));

/** Events need a layer. */
// @ts-expect-error no options at all
asApp(Chat);
// @ts-expect-error no layer in them
asApp(Chat, {});

/** Without events a layer is optional, and any message may be sent. */
class Free extends WebsocketConsumer {
  override receive() {
    void this.channelLayer.groupSend("room", { type: "anything", at: 1 });
    // @ts-expect-error a message has a type
    void this.channelLayer.groupSend("room", { at: 1 });
  }
}
export const free: App<"websocket"> = asApp(Free);
export const freeWithLayer: App<"websocket"> = asApp(Free, { layer });

/** Every event is listed and has its method. */
class Unlisted extends WebsocketConsumer<{}, ChatEvents> {
  static readonly handlers = ["chat.message"] as const;
  chatMessage() {}
  user_typing() {}
}
// @ts-expect-error handlers do not list user_typing
asApp(Unlisted, { layer });

class NoHandlers extends WebsocketConsumer<{}, ChatEvents> {
  chatMessage() {}
  user_typing() {}
}
// @ts-expect-error there is no list of handlers
asApp(NoHandlers, { layer });

class Loose extends WebsocketConsumer<{}, ChatEvents> {
  static readonly handlers = ["chat.message", "user_typing"];
  chatMessage() {}
  user_typing() {}
}
// @ts-expect-error the list is not "as const", so nobody can know what is in it
asApp(Loose, { layer });

class NoMethod extends WebsocketConsumer<{}, ChatEvents> {
  static readonly handlers = ["chat.message", "user_typing"] as const;
  chatMessage() {}
}
// @ts-expect-error there is no user_typing()
asApp(NoMethod, { layer });

class WrongParameter extends WebsocketConsumer<{}, ChatEvents> {
  static readonly handlers = ["chat.message", "user_typing"] as const;
  chatMessage(event: { type: string; text: string; color: string }) {
    void event;
  }
  user_typing() {}
}
// @ts-expect-error the event of chatMessage() has no color
asApp(WrongParameter, { layer });

class HiddenMethod extends WebsocketConsumer<{}, ChatEvents> {
  static readonly handlers = ["chat.message", "user_typing"] as const;
  protected chatMessage() {}
  user_typing() {}
}
// @ts-expect-error chatMessage() is not public
asApp(HiddenMethod, { layer });

/** Only classes that can be made, and that are consumers. */
// @ts-expect-error abstract
asApp(WebsocketConsumer);
// @ts-expect-error not a consumer
asApp(class {});

/** A client can send binary at any time. */
class TextOnly extends WebsocketConsumer {
  override receive(text: string) {
    void text;
  }
}
// @ts-expect-error receive() must take bytes, too
asApp(TextOnly);

/** A constructor hands its context on. */
class Constructed extends WebsocketConsumer<{ user: User }> {
  readonly name: string;
  constructor(context: ConsumerContext<"websocket", { user: User }>) {
    super(context);
    this.name = context.scope.user.name;
  }
}
export const constructed: App<"websocket", { user: User }> = asApp(Constructed);

/** JSON: what the schema gives is what receiveJson gets. */
declare const schema: StandardSchemaV1<unknown, { readonly command: string }>;
export const output: Same<SchemaOutput<typeof schema>, { readonly command: string }> = true;

class Commands extends JsonWebsocketConsumer {
  static readonly schema = schema;
  override receiveJson(content: SchemaOutput<typeof schema>) {
    return this.sendJson({ done: content.command });
  }
}
export const commands: App<"websocket"> = asApp(Commands);

class TypedCommands extends JsonWebsocketConsumer<{ user: User }, {}, SchemaOutput<typeof schema>> {
  static readonly schema = schema;
}
export const typedCommands: App<"websocket", { user: User }> = asApp(TypedCommands);

class Trusting extends JsonWebsocketConsumer {
  override receiveJson(content: { command: string }) {
    void content;
  }
}
// @ts-expect-error without a schema the content is unknown
asApp(Trusting);

class Mistyped extends JsonWebsocketConsumer {
  static readonly schema = schema;
  override receiveJson(content: { order: string }) {
    void content;
  }
}
// @ts-expect-error the schema gives a command, not an order
asApp(Mistyped);

class Suspicious extends JsonWebsocketConsumer {
  override receiveJson(content: unknown) {
    void content;
  }
}
export const suspicious: App<"websocket"> = asApp(Suspicious);

/** HTTP: the same, on the other protocol. */
class News extends HttpConsumer<{ user: User }, { "news.item": { headline: string } }> {
  static readonly handlers = ["news.item"] as const;
  override readonly groups = [`news.${this.scope.method}`];
  async handle() {
    await this.sendHeaders(200, { headers: [["content-type", "text/event-stream"]] });
    await this.sendBody("", { moreBody: true });
  }
  newsItem(event: { headline: string }) {
    return this.sendBody(`data: ${event.headline}\n\n`, { moreBody: true });
  }
}
export const news: App<"http", { user: User }> = asApp(News, { layer });
export const newsWithUser: App<"http"> = auth(asApp(News, { layer }));
// @ts-expect-error nobody gives it a user
export const newsWithoutUser: App<"http"> = asApp(News, { layer });
// @ts-expect-error an HTTP consumer does not serve WebSockets
export const newsOverWebSocket: App<"websocket"> = auth(asApp(News, { layer }));
// @ts-expect-error events need a layer
asApp(News);

/** Workers: the same, for the messages of named channels. */
interface Store {
  put(file: string): Promise<void>;
}
class Thumbnails extends WorkerConsumer<{ store: Store }, { "thumbnail.make": { file: string } }> {
  static readonly handlers = ["thumbnail.make"] as const;
  async thumbnailMake({ file }: { file: string }) {
    const channel: string = this.scope.channel;
    await this.scope.store.put(`${channel}/${file}`);
    await this.channelLayer.groupSend("news", { type: "anything", file });
    // @ts-expect-error a message has a type
    await this.channelLayer.send("news", { file });
    // @ts-expect-error nobody is there to send to
    this.send;
  }
}
export const thumbnails: App<"channel", { store: Store }> = asApp(Thumbnails, { layer });
export const exactlyThumbnails: Same<typeof thumbnails, ReturnType<typeof asApp<typeof Thumbnails>>> = true;
// @ts-expect-error nobody gives it a store
export const withoutStore: App<"channel"> = asApp(Thumbnails, { layer });
// @ts-expect-error a worker's consumer serves no WebSockets
export const thumbnailsOverWebSocket: App<"websocket", { store: Store }> = asApp(Thumbnails, { layer });
// @ts-expect-error events need a layer
asApp(Thumbnails);

class UnlistedWork extends WorkerConsumer<{}, { "thumbnail.make": { file: string } }> {
  static readonly handlers = [] as const;
  thumbnailMake() {}
}
// @ts-expect-error handlers do not list thumbnail.make
asApp(UnlistedWork, { layer });

class WrongWork extends WorkerConsumer<{}, { "thumbnail.make": { file: string } }> {
  static readonly handlers = ["thumbnail.make"] as const;
  thumbnailMake(event: { file: number }) {
    void event;
  }
}
// @ts-expect-error the file is a string
asApp(WrongWork, { layer });

class ConstructedWork extends WorkerConsumer<{ store: Store }> {
  readonly store: Store;
  constructor(context: WorkerContext<{ store: Store }>) {
    super(context);
    this.store = context.scope.store;
  }
}
export const constructedWork: App<"channel", { store: Store }> = asApp(ConstructedWork);

/** A router of channels needs what its applications need. */
const anyWork: App<"channel"> = asApp(class extends WorkerConsumer {});
export const routed: App<"channel"> = ChannelNameRouter({ work: anyWork });
export const routedWithStore: App<"channel", { store: Store }> = ChannelNameRouter({ thumbnails, work: anyWork });
// @ts-expect-error nobody gives one of them a store
export const routedWithoutStore: App<"channel"> = ChannelNameRouter({ thumbnails, work: anyWork });
// @ts-expect-error not an application for channels
ChannelNameRouter({ chat });

/** One application for all protocols, workers too. */
export const everything: App = ProtocolTypeRouter({ channel: ChannelNameRouter({ work: anyWork }), websocket: free });
// @ts-expect-error the protocol of another
ProtocolTypeRouter({ channel: free });
// @ts-expect-error nobody gives it a store
ProtocolTypeRouter({ channel: thumbnails });
void runWorker(routed, { layer, channels: ["work"] });
void runWorker(everything, { layer, channels: ["work"] });
// @ts-expect-error nobody gives it a store
void runWorker(thumbnails, { layer, channels: ["work"] });

/** There is nobody to send to. */
export const sending: App<"channel"> = async (scope, receive, send) => {
  const { message } = await receive();
  const type: string = message.type;
  void [scope.channel, type];
  // @ts-expect-error no event at all
  await send({ type: "channel.send" });
};

/** A gap is handled like an event, and nobody's to send. */
class Careful extends WebsocketConsumer<{}, ChatEvents & { "layer.gap": LayerGap }> {
  static readonly handlers = ["chat.message", "user_typing", "layer.gap"] as const;
  override async receive() {
    await this.channelLayer.groupSend("room", { type: "chat.message", text: "a" });
    // @ts-expect-error only a layer makes a gap
    await this.channelLayer.groupSend("room", { type: "layer.gap", reason: "full", since: 0 });
    // @ts-expect-error to one channel neither
    await this.channelLayer.send(this.channelName, { type: "layer.gap", reason: "full", since: 0 });
  }
  chatMessage() {}
  user_typing() {}
  layerGap({ reason, since }: LayerGap) {
    const known: "unavailable" | "full" | "expired" = reason;
    const at: number = since;
    void [known, at];
  }
}
export const careful: App<"websocket"> = asApp(Careful, { layer });

class CarefulWithoutMethod extends WebsocketConsumer<{}, { "layer.gap": LayerGap }> {
  static readonly handlers = ["layer.gap"] as const;
}
// @ts-expect-error there is no layerGap()
asApp(CarefulWithoutMethod, { layer });

export const names: [
  Same<HandlerName<"chat.message">, "chatMessage">,
  Same<HandlerName<"user_left">, "user_left">,
  Same<HandlerName<"a.b.c">, "aBC">,
  Same<HandlerName<"ping">, "ping">,
  Same<HandlerName<"layer.gap">, "layerGap">,
] = [true, true, true, true, true];
