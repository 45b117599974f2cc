import { ChannelFull, LayerUnavailable } from "../errors.js";
import type { Channel, ChannelLayer, ChannelOptions, GroupSendResult, LayerMessage } from "../ports/channel-layer.js";
import { type ChannelLayerOptions, type LayerCounts, LocalChannels } from "./local-channels.js";
import { MemoryQueue } from "./memory-queue.js";
import { checkChannelName, checkGroupName, checkMemberName, checkSharedName, isNamed } from "./names.js";
import { plainMessage } from "./plain-message.js";
import { QueueReader } from "./queue-reader.js";

/**
 * The channel layer of a single process, and the reference for the others.
 *
 * A membership lasts exactly as long as its channel is open. Nothing outlives the process, so there is no group expiry
 * to set, and a message to a channel that is not open is dropped.
 *
 * @example
 * const layer = new InMemoryChannelLayer();
 * const chat = asApp(ChatConsumer, { layer });
 */
export class InMemoryChannelLayer implements ChannelLayer {
  readonly #local: LocalChannels;
  readonly #queues = new Map<string, MemoryQueue>();
  readonly #readers = new Set<QueueReader>();
  #opened = 0;
  #closed = false;

  constructor(options: ChannelLayerOptions = {}) {
    this.#local = new LocalChannels(options);
  }

  get counts(): LayerCounts {
    return this.#local.counts;
  }

  /** How many messages to channels of this process were dropped because those were full. */
  get dropped(): number {
    return this.#local.dropped;
  }

  /** How many memberships there are, a channel counting once in each of its groups. Takes time with the number of groups. */
  get memberships(): number {
    return this.#local.memberships;
  }

  async open(options: ChannelOptions = {}): Promise<Channel> {
    this.#checkOpen();
    return this.#local.open(`${options.prefix ?? "specific"}.local!${(this.#opened++).toString(36)}`, options);
  }

  async openNamed(name: string): Promise<Channel> {
    this.#checkOpen();
    checkSharedName(name);
    const queue = this.#queue(name);
    const reader = new QueueReader(name, {
      take: () => queue.take(),
      forget: (closed) => {
        this.#readers.delete(closed);
        queue.forget(closed);
      },
    });
    this.#readers.add(reader);
    queue.add(reader);
    return reader;
  }

  async send(channel: string, message: LayerMessage): Promise<void> {
    this.#checkOpen();
    checkChannelName(channel);
    const plain = plainMessage(message);
    const taken = isNamed(channel) ? this.#queue(channel).put(plain) : this.#local.put(channel, plain);
    if (!taken) throw new ChannelFull(`the channel "${channel}" holds as many messages as it may`);
  }

  async groupAdd(group: string, channel: string): Promise<void> {
    this.#checkOpen();
    checkGroupName(group);
    checkMemberName(channel);
    this.#local.join(group, channel);
  }

  async groupDiscard(group: string, channel: string): Promise<void> {
    checkGroupName(group);
    checkMemberName(channel);
    this.#local.leave(group, channel);
  }

  async groupSend(group: string, message: LayerMessage): Promise<GroupSendResult> {
    this.#checkOpen();
    checkGroupName(group);
    return this.#local.putToAll(group, plainMessage(message));
  }

  async flush(): Promise<void> {
    this.#local.flush();
    for (const queue of this.#queues.values()) queue.empty();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    await this.#local.close();
    for (const queue of this.#queues.values()) queue.empty();
  }

  #queue(name: string): MemoryQueue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new MemoryQueue(this.#local, this.#local.capacityOf(name), () => this.#queues.delete(name));
    this.#queues.set(name, queue);
    return queue;
  }

  #checkOpen(): void {
    if (this.#closed) throw new LayerUnavailable("the channel layer is closed");
  }
}
