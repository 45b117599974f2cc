import { createHash } from "node:crypto";
import { type AnonymousUser, JsonWebsocketConsumer, type MessageRecord } from "@sluice/core";
import { z } from "zod";
import type { Member, Services } from "../services.js";
import { type UserData, userData } from "./user-data.js";

/** The room of `/ws/chat/`, which names none. */
export const publicRoom = "pubchat";

const historyLength = 50;
const maxRoomLength = 64;

const incoming = z.object({
  type: z.literal("message"),
  data: z.object({
    message: z
      .string()
      .min(1, "expected a message that is not empty")
      .max(4_000, "expected a message of at most 4000 characters")
      .refine((text) => !text.includes("\0"), "expected a message without null characters"),
  }),
});

type Incoming = z.infer<typeof incoming>;

/** What the members of a room tell one another. */
interface ChatEvents {
  "chat.message": { readonly id: string; readonly data: MessageData };
}

interface MessageData {
  readonly sender: UserData;
  readonly message: string;
  /** ISO 8601 with an offset. */
  readonly date: string;
}

type Needs = {
  user: Member | AnonymousUser;
  services: Services;
  urlRoute: { kwargs: { room: string } };
};

/** One member of a room: shown its last messages, then every new one, their own too. */
export class ChatConsumer extends JsonWebsocketConsumer<Needs, ChatEvents, Incoming> {
  static readonly handlers = ["chat.message"] as const;
  static readonly schema = incoming;

  readonly #room = this.scope.urlRoute.kwargs.room;
  /** Strangers are turned away before they hear anything. */
  override readonly groups: readonly string[] = this.scope.user.isAuthenticated ? [groupOf(this.#room)] : [];
  /** What was sent while the history was read comes from the group as well. */
  #shown: ReadonlySet<string> = new Set();

  override async connect(): Promise<void> {
    await this.accept();
    if (!this.scope.user.isAuthenticated) {
      await this.sendJson({ type: "message", data: { message: "Not Authenticated.." } });
      await this.sendJson({ type: "noAuth" });
      return this.close(4401, "not authenticated");
    }
    if (!isRoomName(this.#room)) return this.close(4400, "not the name of a room");
    const history = await this.scope.services.messages.recent(this.#room, historyLength);
    for (const record of history) await this.#show(messageData(record));
    this.#shown = new Set(history.map(({ id }) => id));
  }

  override async receiveJson({ data }: Incoming): Promise<void> {
    if (!this.scope.user.isAuthenticated) return;
    const record = await this.scope.services.messages.append({
      room: this.#room,
      senderId: this.scope.user.id,
      text: data.message,
    });
    // Only what is stored is shown, the sender's own message too: seeing it is the acknowledgement.
    await this.channelLayer.groupSend(groupOf(this.#room), {
      type: "chat.message",
      id: record.id,
      data: messageData(record),
    });
  }

  chatMessage({ id, data }: ChatEvents["chat.message"]): void | Promise<void> {
    return this.#shown.has(id) ? undefined : this.#show(data);
  }

  #show(data: MessageData): void | Promise<void> {
    return this.sendJson({ type: "newMessage", data });
  }
}

/** The database cannot keep a null character. */
function isRoomName(room: string): boolean {
  return room.length <= maxRoomLength && !room.includes("\0");
}

/** A group's name is short ASCII; a room's may be anything. */
function groupOf(room: string): string {
  return room === publicRoom ? publicRoom : `chat.${createHash("sha256").update(room).digest("hex")}`;
}

function messageData(record: MessageRecord): MessageData {
  return {
    sender: userData(record.sender),
    message: record.text,
    date: new Date(record.sentAt).toISOString().replace("Z", "+00:00"),
  };
}
