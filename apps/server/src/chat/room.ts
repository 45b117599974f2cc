import { createHash } from "node:crypto";
import type { MessageRecord } from "@sluice/core";
import { type UserData, userData } from "./user-data.js";

/** The room of `/ws/chat/`, which names none. */
export const publicRoom = "pubchat";

const maxRoomLength = 64;

/** The database cannot keep a null character. */
export function isRoomName(room: string): boolean {
  return room.length <= maxRoomLength && !room.includes("\0");
}

/** A group's name is short ASCII; a room's may be anything. */
export function groupOf(room: string): string {
  return room === publicRoom ? publicRoom : `chat.${createHash("sha256").update(room).digest("hex")}`;
}

export interface MessageData {
  readonly sender: UserData;
  readonly message: string;
  /** ISO 8601 with an offset. */
  readonly date: string;
}

export function messageData(record: MessageRecord): MessageData {
  return {
    sender: userData(record.sender),
    message: record.text,
    date: new Date(record.sentAt).toISOString().replace("Z", "+00:00"),
  };
}

/** What the members of a room tell one another. */
export interface RoomEvents {
  "chat.message": { readonly id: string; readonly data: MessageData };
}

/** The event that shows a message to everybody in its room. */
export function messageEvent(record: MessageRecord): { readonly type: "chat.message" } & RoomEvents["chat.message"] {
  return { type: "chat.message", id: record.id, data: messageData(record) };
}
