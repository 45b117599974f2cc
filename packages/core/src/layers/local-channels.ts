import { ConfigurationError } from "../errors.js";
import type { ChannelOptions, GroupSendResult, LayerGap, LayerMessage } from "../ports/channel-layer.js";
import { type Clock, systemClock } from "../ports/clock.js";
import { type Letter, Mailbox, type PostOffice } from "./mailbox.js";
import { checkChannelName } from "./names.js";

/** What every channel layer can be told. */
export interface ChannelLayerOptions {
  /** Messages that may wait in one channel: 100 if left out. */
  readonly capacity?: number;
  /** Capacities by channel name, in which `*` stands for any characters. The first that fits is taken. */
  readonly channelCapacity?: Readonly<Record<string, number>>;
  /** Milliseconds a message may wait: 60,000 if left out. */
  readonly expiry?: number;
  readonly clock?: Clock;
}

/** How much a layer holds in this process. */
export interface LayerCounts {
  /** Channels that are open. */
  readonly channels: number;
  /** Groups that have a member. */
  readonly groups: number;
}

/**
 * The channels of one process and the groups they are in: the part that all layers have in common. Messages it is given
 * are frozen already.
 */
export class LocalChannels {
  readonly clock: Clock;
  /** Milliseconds a message may wait. */
  readonly expiry: number;
  readonly #capacity: number;
  readonly #capacities: readonly (readonly [pattern: RegExp, capacity: number])[];
  readonly #office: PostOffice;
  readonly #deserted: (group: string) => void;
  readonly #channels = new Map<string, Mailbox>();
  /** Most groups have one member, as that of a user has, and a set takes more memory than the mailbox. */
  readonly #groups = new Map<string, Mailbox | Set<Mailbox>>();
  /** Mailboxes that have got something and were not asked to hand it out yet. */
  readonly #touched: Mailbox[] = [];
  #delivering = false;
  #dropped = 0;

  /** Calls `deserted` when a group has lost its last member. Throws `ConfigurationError` for a number out of range. */
  constructor(options: ChannelLayerOptions, deserted: (group: string) => void = () => {}) {
    this.#capacity = checkedCapacity(options.capacity ?? 100);
    this.#capacities = Object.entries(options.channelCapacity ?? {}).map(([glob, capacity]) => [
      globPattern(glob),
      checkedCapacity(capacity),
    ]);
    this.expiry = options.expiry ?? 60_000;
    if (!(this.expiry > 0)) throw new ConfigurationError(`expected an expiry above 0 ms, got ${this.expiry}`);
    this.clock = options.clock ?? systemClock;
    this.#office = { clock: this.clock, forget: (mailbox) => this.#forget(mailbox) };
    this.#deserted = deserted;
  }

  get counts(): LayerCounts {
    return { channels: this.#channels.size, groups: this.#groups.size };
  }

  /** How many messages were dropped because their channel was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many memberships there are, a channel counting once in each of its groups. Takes time with the number of groups. */
  get memberships(): number {
    let sum = 0;
    for (const members of this.#groups.values()) sum += members instanceof Mailbox ? 1 : members.size;
    return sum;
  }

  /** Opens the channel `name`, which is to be a new one. */
  open(name: string, options: ChannelOptions): Mailbox {
    checkChannelName(name);
    const capacity = checkedCapacity(options.capacity ?? this.capacityOf(name));
    const mailbox = new Mailbox(name, { capacity, gaps: options.gaps ?? false }, this.#office);
    this.#channels.set(name, mailbox);
    return mailbox;
  }

  capacityOf(channel: string): number {
    return this.#capacities.find(([pattern]) => pattern.test(channel))?.[1] ?? this.#capacity;
  }

  /** False if the channel is full. One that is not open takes everything, and nobody reads it. */
  put(channel: string, message: LayerMessage): boolean {
    const mailbox = this.#channels.get(channel);
    if (mailbox === undefined) return true;
    const taken = this.#post(mailbox, this.#letter(message));
    this.#deliver();
    return taken;
  }

  putToAll(group: string, message: LayerMessage): GroupSendResult {
    const letter = this.#letter(message);
    let delivered = 0;
    let dropped = 0;
    for (const mailbox of this.#membersOf(group)) {
      if (this.#post(mailbox, letter)) delivered++;
      else dropped++;
    }
    this.#deliver();
    return { delivered, dropped };
  }

  /** True if the group has a member here. */
  has(group: string): boolean {
    return this.#groups.has(group);
  }

  /** Adds a channel, if it is open. True if it was no member before. */
  join(group: string, channel: string): boolean {
    const mailbox = this.#channels.get(channel);
    if (mailbox === undefined) return false;
    const members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, mailbox);
    else if (members instanceof Set) {
      if (members.has(mailbox)) return false;
      members.add(mailbox);
    } else {
      if (members === mailbox) return false;
      this.#groups.set(group, new Set([members, mailbox]));
    }
    // One that is pushed into an empty array takes the memory of seventeen.
    if (mailbox.groups.length === 0) mailbox.groups = [group];
    else mailbox.groups.push(group);
    return true;
  }

  leave(group: string, channel: string): void {
    const mailbox = this.#channels.get(channel);
    const index = mailbox?.groups.indexOf(group) ?? -1;
    if (mailbox === undefined || index === -1) return;
    mailbox.groups.splice(index, 1);
    this.#remove(group, mailbox);
  }

  /** Tells every channel that wants to know that it may have missed something. */
  noteGap(reason: LayerGap["reason"], since: number): void {
    for (const mailbox of this.#channels.values()) {
      mailbox.noteGap(reason, since);
      this.#touched.push(mailbox);
    }
    this.#deliver();
  }

  /** Forgets messages and memberships. */
  flush(): void {
    for (const mailbox of this.#channels.values()) {
      mailbox.empty();
      for (const group of mailbox.groups.splice(0)) this.#remove(group, mailbox);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels.values()].map((mailbox) => mailbox.close()));
  }

  #letter(message: LayerMessage): Letter {
    const sentAt = this.clock.now();
    return { message, sentAt, expiresAt: sentAt + this.expiry };
  }

  #post(mailbox: Mailbox, letter: Letter): boolean {
    if (!mailbox.put(letter)) {
      this.#dropped++;
      return false;
    }
    this.#touched.push(mailbox);
    return true;
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
    for (const group of mailbox.groups.splice(0)) this.#remove(group, mailbox);
  }

  #membersOf(group: string): Iterable<Mailbox> {
    const members = this.#groups.get(group);
    if (members === undefined) return [];
    return members instanceof Set ? members : [members];
  }

  /** `mailbox` is a member. */
  #remove(group: string, mailbox: Mailbox): void {
    const members = this.#groups.get(group);
    if (members instanceof Set) {
      members.delete(mailbox);
      if (members.size > 0) return;
    }
    this.#groups.delete(group);
    this.#deserted(group);
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
