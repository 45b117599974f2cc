import type { MaybePromise } from "../app.js";

/** A message between consumers: plain data that JSON can carry, with a `type` such as `"chat.message"`. */
export interface LayerMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** What a `groupSend` reached. */
export interface GroupSendResult {
  readonly delivered: number;
  /** Members whose channel was full. */
  readonly dropped: number;
}

export interface ChannelOptions {
  /** Begins the channel's name; the layer makes the rest. */
  readonly prefix?: string;
  /** Messages the channel holds before it is full; the layer's default if left out. */
  readonly capacity?: number;
}

/**
 * One consumer's mailbox. Messages come in the order they were sent, each at most once. Read it in one of the two ways.
 */
export interface Channel {
  /** Process-local: has one `!`. */
  readonly name: string;
  /** Pulls one message. Rejects with `LayerUnavailable` once the channel is closed. */
  receive(): Promise<LayerMessage>;
  /**
   * Pushes every message into `sink` until the channel is closed. A sink that returns a promise gets the next message
   * when that has settled. Rejects with what `sink` throws, and concerns no other channel. To be called once.
   */
  pipe(sink: (message: LayerMessage) => MaybePromise<void>): Promise<void>;
  /** Leaves every group and drops what is still waiting. */
  close(): Promise<void>;
}

/**
 * Carries messages between consumers, in one process or many. Delivery is at most once. Where a reader answers a message,
 * nobody gets the answer before the message.
 *
 * Names of channels and groups are ASCII letters, digits, `-`, `_` and `.`, shorter than 100; a process-local channel
 * has one `!`. A bad name is a `TypeError`, and so is a message that is not plain data. Whatever goes wrong is a
 * rejection, never a throw.
 */
export interface ChannelLayer {
  /** Opens a channel that only this process reads. */
  open(options?: ChannelOptions): Promise<Channel>;
  /** Puts a message into a channel. Never waits: rejects with `ChannelFull`. */
  send(channel: string, message: LayerMessage): Promise<void>;
  /** Adds a channel to a group; adding it again refreshes it. It stays a member for as long as it is open. */
  groupAdd(group: string, channel: string): Promise<void>;
  /** Removes a channel from a group; a stranger is fine. */
  groupDiscard(group: string, channel: string): Promise<void>;
  /** Sends to every member, the sender too if it is one. A full member is counted, not thrown. */
  groupSend(group: string, message: LayerMessage): Promise<GroupSendResult>;
  /** Forgets every message and every group. */
  flush(): Promise<void>;
  /** Closes every channel and gives back what the layer holds. What is asked of it later rejects with `LayerUnavailable`. */
  close(): Promise<void>;
}
