import {
  type AnonymousUser,
  JsonWebsocketConsumer,
  type LayerGap,
  LayerUnavailable,
  type MessageRecord,
  type PresenceEvents,
  type Present,
} from "@sluice/core";
import { z } from "zod";
import type { Member, Services } from "../services.js";
import { messageText } from "./message-text.js";
import { groupOf, isRoomName, type MessageData, messageData, messageEvent, type RoomEvents } from "./room.js";
import { Shown } from "./shown.js";
import type { UserData } from "./user-data.js";

const historyLength = 50;
/** Messages that everybody else has yet to be shown; what is more they see when they come back. */
const mostUntold = 100;

const incoming = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message"), data: z.object({ message: messageText }) }),
  /** Asks who is here, and to be told of who comes and goes. */
  z.object({ type: z.literal("presence") }),
]);

type Incoming = z.infer<typeof incoming>;

interface ChatEvents extends RoomEvents, PresenceEvents<UserData> {
  "layer.gap": Omit<LayerGap, "type">;
}

type Needs = Present<UserData> & {
  user: Member | AnonymousUser;
  services: Services;
  urlRoute: { kwargs: { room: string } };
};

/** One member of a room: shown its last messages, then every new one, their own too; and who is there, if they ask. */
export class ChatConsumer extends JsonWebsocketConsumer<Needs, ChatEvents, Incoming> {
  static readonly handlers = ["chat.message", "presence.join", "presence.leave", "layer.gap"] as const;
  static readonly schema = incoming;

  readonly #room = this.scope.urlRoute.kwargs.room;
  /** Strangers are turned away before they hear anything. */
  override readonly groups: readonly string[] = this.scope.user.isAuthenticated
    ? [groupOf(this.#room), this.scope.presence.events]
    : [];
  /** What was sent while the history was read comes from the group as well. */
  readonly #shown = new Shown(2 * historyLength);
  /** Stored, but not shown to anybody, as the layer has not taken it yet. In order. */
  readonly #untold: MessageRecord[] = [];
  #followsPresence = false;

  override async connect(): Promise<void> {
    await this.accept();
    if (!this.scope.user.isAuthenticated) {
      await this.sendJson({ type: "message", data: { message: "Not Authenticated.." } });
      await this.sendJson({ type: "noAuth" });
      return this.close(4401, "not authenticated");
    }
    if (!isRoomName(this.#room)) return this.close(4400, "not the name of a room");
    await this.#showHistory();
  }

  override receiveJson(content: Incoming): Promise<void> {
    return content.type === "message" ? this.#say(content.data.message) : this.#followPresence();
  }

  chatMessage({ id, data }: RoomEvents["chat.message"]): void | Promise<void> {
    if (this.#shown.add(id)) return this.#show(data);
  }

  presenceJoin({ member }: PresenceEvents<UserData>["presence.join"]): void | Promise<void> {
    if (this.#followsPresence) return this.sendJson({ type: "joined", data: { user: member.info } });
  }

  presenceLeave({ member }: PresenceEvents<UserData>["presence.leave"]): void | Promise<void> {
    if (this.#followsPresence) return this.sendJson({ type: "left", data: { user: member.info } });
  }

  /** Something may have been missed: what is stored tells what, except for who is here. */
  async layerGap(): Promise<void> {
    await this.#tell();
    await this.#showHistory();
    if (this.#followsPresence) await this.#followPresence();
  }

  async #say(text: string): Promise<void> {
    const { user, services } = this.scope;
    if (!user.isAuthenticated) return;
    // Only what is stored is shown, the sender's own message too: seeing it is the acknowledgement.
    const record = await services.messages.append({ room: this.#room, senderId: user.id, text });
    if (this.#untold.length < mostUntold) this.#untold.push(record);
    await this.#tell();
  }

  /**
   * What the layer does not take now is told after the gap by which it tells of its return, or with the next message, since
   * not every failure is a gap. Whoever was shown it already is not shown it again.
   */
  async #tell(): Promise<void> {
    try {
      for (let next = this.#untold[0]; next !== undefined; next = this.#untold[0]) {
        await this.channelLayer.groupSend(groupOf(this.#room), messageEvent(next));
        this.#untold.shift();
      }
    } catch (error) {
      if (!(error instanceof LayerUnavailable)) throw error;
    }
  }

  async #showHistory(): Promise<void> {
    for (const record of await this.scope.services.messages.recent(this.#room, historyLength)) {
      if (this.#shown.add(record.id)) await this.#show(messageData(record));
    }
  }

  async #followPresence(): Promise<void> {
    this.#followsPresence = true;
    await this.sendJson({ type: "presence", data: { users: this.scope.presence.members().map(({ info }) => info) } });
  }

  #show(data: MessageData): void | Promise<void> {
    return this.sendJson({ type: "newMessage", data });
  }
}
