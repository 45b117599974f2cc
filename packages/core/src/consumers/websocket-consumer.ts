import type { MaybePromise } from "../app.js";
import type { Renewed } from "../auth/authenticated.js";
import type { Refusal } from "../auth/verdict.js";
import type { WebSocketAcceptEvent } from "../events.js";
import { Consumer, type ConsumerContext } from "./consumer.js";

export interface SendOptions {
  /** Closes the connection after the message: with this code, or with 1000 for `true`. */
  readonly close?: number | boolean;
}

/**
 * An application on a WebSocket, written as a class: one instance per connection, one method call at a time.
 *
 * `Needs` names what the scope must carry; services come in the same way, through `provide`. `Events` types the messages
 * it exchanges over the channel layer. Only those that `static handlers` lists can reach it; `"chat.message"` calls
 * `chatMessage`. What a method throws ends the connection with 1011; `disconnect` runs all the same.
 *
 * Once the connection has ended, from either side, `send` and `close` do nothing: a timer need not ask first.
 *
 * @example
 * interface ChatEvents { "chat.message": { text: string } }
 *
 * class Chat extends WebsocketConsumer<{ user: User } & RoomRoute, ChatEvents> {
 *   static readonly handlers = ["chat.message"] as const;
 *   readonly room = `room.${this.scope.urlRoute.kwargs.room}`;
 *   override readonly groups = [this.room];
 *
 *   override async receive(data: string | Uint8Array) {
 *     if (typeof data !== "string") return this.close(1003);
 *     await this.channelLayer.groupSend(this.room, { type: "chat.message", text: data });
 *   }
 *
 *   chatMessage(event: { text: string }) {
 *     return this.send(event.text);
 *   }
 * }
 *
 * const chat = asApp(Chat, { layer });
 */
export abstract class WebsocketConsumer<Needs extends object = {}, Events extends object = {}> extends Consumer<
  "websocket",
  Needs,
  Events
> {
  readonly #context: ConsumerContext<"websocket", Needs>;

  constructor(context: ConsumerContext<"websocket", Needs>) {
    super(context);
    this.#context = context;
  }

  /**
   * A client wants to connect. Accepts, unless it is overridden: then it must `accept()`, or refuse by `close()` (403) or
   * by throwing `DenyConnection`. Messages, from the client and from the layer, wait until it has returned.
   */
  connect(): MaybePromise<void> {
    return this.accept();
  }

  /** A message came in: a string for text, bytes for binary. */
  receive(_data: string | Uint8Array): MaybePromise<void> {}

  /**
   * The connection has ended. Runs once, after everything else and whatever happened: also when the handshake was
   * refused (1006) and when a method threw (1011). It cannot send any more.
   */
  disconnect(_code: number, _reason: string): MaybePromise<void> {}

  /**
   * The client may not do what it asked for: a method has let pass the `Refusal` of `requireUser`, `requireScope` or
   * `renew`. Closes with its code, 4401 or 4403; override it to answer instead. Before accept it is not called: then the
   * refusal is the answer to the handshake.
   */
  refused(refusal: Refusal): MaybePromise<void> {
    return this.close(refusal.closeCode, refusal.detail);
  }

  /**
   * Whether the connection may be in a group, by its new grant, which `this.scope` has already. Asked after a renewal, of
   * each group that it is in: it leaves those that it may not be in before `renew` resolves. All may stay if it is not
   * overridden.
   */
  allowsGroup(_group: string): boolean {
    return true;
  }

  /**
   * Puts another token in the place of the connection's, as {@link Renew} says: of the same user, or the first. Then
   * `this.scope` has the new user and grant; what a field took from it before stays what it was. Rejects with a `Refusal`,
   * and then all is as before. The `JsonWebsocketConsumer` does it for its clients.
   *
   * Await it in the method that the token came to: until it has returned nothing else is handled.
   */
  protected renew(token: string): Promise<Renewed> {
    return this.#context.renew(token, (group) => this.allowsGroup(group));
  }

  /** Completes the handshake. Throws `ProtocolError` the second time, and for a subprotocol that was not offered. */
  protected accept(options: Omit<WebSocketAcceptEvent, "type"> = {}): MaybePromise<void> {
    return this.emit({ ...options, type: "websocket.accept" });
  }

  /** Sends one message. Await it: a promise means that the client is behind. Throws `ProtocolError` before accept. */
  protected send(data: string | Uint8Array, options?: SendOptions): MaybePromise<void> {
    const sent = this.emit(
      typeof data === "string" ? { type: "websocket.send", text: data } : { type: "websocket.send", bytes: data },
    );
    const close = options?.close ?? false;
    if (close === false) return sent;
    const code = close === true ? 1000 : close;
    return sent instanceof Promise ? sent.then(() => this.close(code)) : this.close(code);
  }

  /**
   * Ends the connection; before accept it refuses it with status 403. No message is handled after it. Throws a
   * `TypeError` for a code or a reason that no close frame can carry.
   */
  protected close(code = 1000, reason = ""): MaybePromise<void> {
    return this.emit({ type: "websocket.close", code, reason });
  }
}
