import { WorkerConsumer } from "@sluice/core";
import { z } from "zod";
import type { Services } from "../services.js";
import { messageText } from "./message-text.js";
import { groupOf, isRoomName, messageEvent, publicRoom } from "./room.js";

const post = z.object({
  room: z.string().refine(isRoomName, "expected the name of a room").default(publicRoom),
  username: z.string(),
  message: messageText,
});

interface PostEvents {
  "message.post": z.input<typeof post>;
}

/** Says something in a room for a user who has no socket: a script, a bot, another service. */
export class PostConsumer extends WorkerConsumer<{ services: Services }, PostEvents> {
  static readonly handlers = ["message.post"] as const;

  async messagePost(event: PostEvents["message.post"]): Promise<void> {
    const { room, username, message } = post.parse(event);
    const { accounts, messages } = this.scope.services;
    const sender = await accounts.find(username);
    if (sender === undefined) throw new TypeError("expected the name of a user, got one that is nobody's");
    const record = await messages.append({ room, senderId: sender.id, text: message });
    await this.channelLayer.groupSend(groupOf(room), messageEvent(record));
  }
}
