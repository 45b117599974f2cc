import { ChannelFull, ConfigurationError, LayerUnavailable } from "../errors.js";
import type { Channel, ChannelLayer, ChannelOptions, GroupSendResult, LayerMessage } from "../ports/channel-layer.js";
import { type Clock, systemClock } from "../ports/clock.js";
import { type Letter, Mailbox, type PostOffice } from "./mailbox.js";
import { checkChannelName, checkGroupName } from "./names.js";
import { plainMessage } from "./plain-message.js";

export interface InMemoryChannelLayerOptions {
  /** Messages that may wait in one channel: 100 if left out. */
  readonly capacity?: number;
  /** Capacities by channel name, in which `*` stands for any characters. The first that fits is taken. */
  readonly channelCapacity?: Readonly<Record<string, number>>;
  /** Milliseconds a message may wait: 60,000 if left out. */
  readonly expiry?: number;
  readonly clock?: Clock;
}

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
  readonly #capacity: number;
  readonly #capacities: readonly (readonly [pattern: RegExp, capacity: number])[];
  readonly #expiry: number;
  readonly #office: PostOffice;
  readonly #channels = new Map<string, Mailbox>();
  readonly #groups = new Map<string, Set<Mailbox>>();
  /** Mailboxes that have got something and were not asked to hand it out yet. */
  readonly #touched: Mailbox[] = [];
  #delivering = false;
  #opened = 0;
  #closed = false;

  constructor(options: InMemoryChannelLayerOptions = {}) {
    this.#capacity = checkedCapacity(options.capacity ?? 100);
    this.#capacities = Object.entries(options.channelCapacity ?? {}).map(([glob, capacity]) => [
      globPattern(glob),
      checkedCapacity(capacity),
    ]);
    this.#expiry = options.expiry ?? 60_000;
    if (!(this.#expiry > 0)) throw new ConfigurationError(`expected an expiry above 0 ms, got ${this.#expiry}`);
    this.#office = { clock: options.clock ?? systemClock, forget: (mailbox) => this.#forget(mailbox) };
  }

  /** How many channels are open, and how many groups have a member. */
  get counts(): { readonly channels: number; readonly groups: number } {
    return { channels: this.#channels.size, groups: this.#groups.size };
  }

  /** How many memberships there are, a channel counting once in each of its groups. Takes time with the number of groups. */
  get memberships(): number {
    let sum = 0;
    for (const members of this.#groups.values()) sum += members.size;
    return sum;
  }

  async open(options: ChannelOptions = {}): Promise<Channel> {
    this.#checkOpen();
    const name = `${options.prefix ?? "specific"}.local!${(this.#opened++).toString(36)}`;
    checkChannelName(name);
    const capacity = checkedCapacity(options.capacity ?? this.#capacityOf(name));
    const mailbox = new Mailbox(name, capacity, this.#office);
    this.#channels.set(name, mailbox);
    return mailbox;
  }

  async send(channel: string, message: LayerMessage): Promise<void> {
    this.#checkOpen();
    checkChannelName(channel);
    const letter = this.#letter(message);
    const mailbox = this.#channels.get(channel);
    if (mailbox === undefined) return;
    if (!mailbox.put(letter)) throw new ChannelFull(`the channel "${channel}" holds as many messages as it may`);
    this.#touched.push(mailbox);
    this.#deliver();
  }

  async groupAdd(group: string, channel: string): Promise<void> {
    this.#checkOpen();
    checkGroupName(group);
    checkChannelName(channel);
    const mailbox = this.#channels.get(channel);
    if (mailbox === undefined) return;
    const members = this.#groups.get(group);
    if (members?.has(mailbox)) return;
    if (members === undefined) this.#groups.set(group, new Set([mailbox]));
    else members.add(mailbox);
    mailbox.groups.push(group);
  }

  async groupDiscard(group: string, channel: string): Promise<void> {
    checkGroupName(group);
    checkChannelName(channel);
    const mailbox = this.#channels.get(channel);
    const index = mailbox?.groups.indexOf(group) ?? -1;
    if (mailbox === undefined || index === -1) return;
    mailbox.groups.splice(index, 1);
    this.#leave(group, mailbox);
  }

  async groupSend(group: string, message: LayerMessage): Promise<GroupSendResult> {
    this.#checkOpen();
    checkGroupName(group);
    const letter = this.#letter(message);
    let delivered = 0;
    let dropped = 0;
    for (const mailbox of this.#groups.get(group) ?? []) {
      if (mailbox.put(letter)) {
        this.#touched.push(mailbox);
        delivered++;
      } else {
        dropped++;
      }
    }
    this.#deliver();
    return { delivered, dropped };
  }

  async flush(): Promise<void> {
    this.#groups.clear();
    for (const mailbox of this.#channels.values()) {
      mailbox.groups.length = 0;
      mailbox.empty();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#channels.values()].map((mailbox) => mailbox.close()));
  }

  #letter(message: LayerMessage): Letter {
    return { message: plainMessage(message), expiresAt: this.#office.clock.now() + this.#expiry };
  }

  /**
   * Runs the readers, once: what a reader sends in turn is put into its mailboxes at once, and handed out by the loop that
   * is already running. So nobody sees an answer before the question, and no chain of answers grows the stack.
   */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    for (const mailbox of this.#touched) mailbox.deliver();
    this.#touched.length = 0;
    this.#delivering = false;
  }

  #forget(mailbox: Mailbox): void {
    this.#channels.delete(mailbox.name);
    for (const group of mailbox.groups.splice(0)) this.#leave(group, mailbox);
  }

  #leave(group: string, mailbox: Mailbox): void {
    const members = this.#groups.get(group);
    members?.delete(mailbox);
    if (members?.size === 0) this.#groups.delete(group);
  }

  #capacityOf(channel: string): number {
    return this.#capacities.find(([pattern]) => pattern.test(channel))?.[1] ?? this.#capacity;
  }

  #checkOpen(): void {
    if (this.#closed) throw new LayerUnavailable("the channel layer is closed");
  }
}

function checkedCapacity(capacity: number): number {
  if (Number.isInteger(capacity) && capacity > 0) return capacity;
  throw new ConfigurationError(`expected a channel capacity of at least 1 message, got ${capacity}`);
}

function globPattern(glob: string): RegExp {
  const literals = glob.split("*").map((literal) => literal.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${literals.join(".*")}$`);
}
