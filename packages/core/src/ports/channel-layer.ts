import type { MaybePromise } from "../app.js";
import type { LayerMessage } from "../events.js";

export type { LayerMessage } from "../events.js";

/** Stands where messages to a channel were lost, or may have been. Only a layer makes it: nobody can send its type. */
export interface LayerGap {
  readonly type: "layer.gap";
  /**
   * `"unavailable"`: for a while the layer could not be reached. `"full"`: the channel held as many messages as it may.
   * `"expired"`: messages waited for longer than they may.
   */
  readonly reason: "unavailable" | "full" | "expired";
  /** When the first that may be missing was sent, or earlier, in milliseconds since 1970. */
  readonly since: number;
}

/** What a `groupSend` reached in the process it was called in. */
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
  /** Puts a {@link LayerGap} among the messages where some may be missing. False if left out. */
  readonly gaps?: boolean;
}

/**
 * A mailbox. Messages come in the order they were sent, each at most once. Read it in one of the two ways.
 */
export interface Channel {
  /** Has one `!` if it belongs to this process, none if it is a named one. */
  readonly name: string;
  /** The groups it is a member of: none, if it is a named one. */
  readonly groups: readonly string[];
  /** Pulls one message. Rejects with `LayerUnavailable` once the channel is closed. */
  receive(): Promise<LayerMessage>;
  /**
   * Pushes every message into `sink` until the channel is closed. A sink that returns a promise gets the next message
   * when that has settled. Rejects with what `sink` throws, and concerns no other channel. To be called once.
   */
  pipe(sink: (message: LayerMessage) => MaybePromise<void>): Promise<void>;
  /**
   * Leaves every group and drops what is still waiting. What waits in a named channel stays there for others; what had been
   * taken out of it is still handed over.
   */
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
  /**
   * Opens a channel by a name without `!`, for a worker. All who have it open, in whatever process, share its messages:
   * each goes to one of them. It exists without them, too: messages wait, as many as fit and until they expire.
   */
  openNamed(name: string): Promise<Channel>;
  /** Puts a message into a channel. Never waits: rejects with `ChannelFull`. */
  send(channel: string, message: LayerMessage): Promise<void>;
  /**
   * Adds a channel of this or another process to a group; adding it again changes nothing. It stays a member for as long
   * as it is open. What is sent after this has resolved reaches it, and what was sent just before may.
   */
  groupAdd(group: string, channel: string): Promise<void>;
  /** Removes a channel from a group; a stranger is fine. */
  groupDiscard(group: string, channel: string): Promise<void>;
  /**
   * Sends to every member, the sender too if it is one. A full member is counted, not thrown. What it resolves with
   * speaks of the members in this process.
   */
  groupSend(group: string, message: LayerMessage): Promise<GroupSendResult>;
  /** Forgets every message and every group. */
  flush(): Promise<void>;
  /** Closes every channel and gives back what the layer holds. What is asked of it later rejects with `LayerUnavailable`. */
  close(): Promise<void>;
}
