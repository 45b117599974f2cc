/** How messages of a channel layer are typed: a consumer declares an interface from type to fields. */
import type { MaybePromise } from "../app.js";
import type { ChannelLayer, GroupSendResult, LayerMessage } from "../ports/channel-layer.js";

/**
 * The method that handles a message type: dots become camel case, everything else stays. `"chat.message"` is handled by
 * `chatMessage`, `"user_left"` by `user_left`.
 */
export type HandlerName<Type extends string> = Type extends `${infer Head}.${infer Tail}`
  ? `${Head}${Capitalize<HandlerName<Tail>>}`
  : Type;

/** What {@link HandlerName} is to types, to values. */
export function handlerName(type: string): string {
  return type.replace(/\.(.)/g, (_dot, letter: string) => letter.toUpperCase());
}

/** One message of `Events`, as it is sent and as its handler gets it. */
export type LayerEvent<Events extends object, Type extends keyof Events & string = keyof Events & string> = {
  [Each in Type]: { readonly type: Each } & Readonly<Events[Each]>;
}[Type];

/** The methods that a consumer of `Events` has. */
export type Handlers<Events extends object> = {
  [Type in keyof Events & string as HandlerName<Type>]: (event: LayerEvent<Events, Type>) => MaybePromise<void>;
};

/** What a consumer may send: its own `Events`, or any message if it declares none. Gaps come from the layer alone. */
export type Sendable<Events extends object> = [keyof Events] extends [never]
  ? LayerMessage
  : LayerEvent<Omit<Events, "layer.gap">>;

/** The channel layer as a consumer sees it. A wrong field does not compile. */
export interface ConsumerLayer<Events extends object> extends Pick<ChannelLayer, "groupAdd" | "groupDiscard"> {
  /** Puts a message into one channel. Never waits: rejects with `ChannelFull`. */
  send(channel: string, message: Sendable<Events>): Promise<void>;
  /** Sends to every member of a group, this consumer too if it is one. */
  groupSend(group: string, message: Sendable<Events>): Promise<GroupSendResult>;
}
