/** One message of a room, with its sender as they are called today. */
export interface MessageRecord {
  readonly id: string;
  readonly room: string;
  readonly sender: { readonly id: string; readonly username: string; readonly name: string };
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

export interface MessageStore {
  /** Resolves when the message is durable. */
  append(message: { readonly room: string; readonly senderId: string; readonly text: string }): Promise<MessageRecord>;
  /** The last `limit` messages of a room, oldest first. */
  recent(room: string, limit: number): Promise<MessageRecord[]>;
}
