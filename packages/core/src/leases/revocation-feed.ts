import { LayerUnavailable } from "../errors.js";
import { processName } from "../layers/process-name.js";
import type { Channel, ChannelLayer, LayerMessage } from "../ports/channel-layer.js";
import type { Clock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import { type Ask, type Beat, type Notice, type Revocation, type Revoke, readNotice } from "./revocation.js";
import { RollCall, type Tally } from "./roll-call.js";
import { Alarm, type Schedule } from "./schedule.js";

/** Where the processes meet. */
const everybody = "sluice.leases";
/** How many may wait in the channel, for which there is no reason: they are read at once. */
const capacity = 10_000;
/** How many that could not be told are kept for later. */
const maxUntold = 1_000;

/** Told of what comes from other processes. Times are in milliseconds since 1970. */
export interface FeedListener {
  revoked(revocation: Revocation): void;
  /** Since then nothing may have come through. */
  cutOff(since: number): void;
  /** It comes through again. What was revoked after `since` may have been missed. */
  regained(since: number): void;
  /** What there is in this process of a user's connections. */
  tally(userId: string): Tally;
}

export interface FeedOptions {
  readonly layer: ChannelLayer;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly logger: Logger;
  /** Milliseconds between two beats. */
  readonly beatEvery: number;
}

/**
 * Brings revocations to the other processes and theirs to this one, over nothing but the channel layer. Regular beats of
 * this process come back to it the way the revocations of others come: so it knows when it is cut off, also where the layer
 * does not say so. Until the first has come back, it is.
 */
export class RevocationFeed {
  readonly #id = processName();
  readonly #options: FeedOptions;
  readonly #listener: FeedListener;
  readonly #rollCall: RollCall;
  readonly #beat = new Alarm(() => this.#tick());
  #channel: Channel | undefined;
  #started = false;
  #closed = false;
  #opening = false;
  /** Whether anything of this process's own has come back since the last beat. */
  #heard = true;
  #heardAt = 0;
  /** Undefined while the layer can be reached. */
  #lostAt: number | undefined;
  #regainedAt = Number.NEGATIVE_INFINITY;
  #warned = false;
  #malformed = 0;
  /** What others have yet to be told. */
  #untold: Revocation[] = [];
  /** What they are being told. */
  readonly #saying = new Set<Promise<void>>();

  constructor(options: FeedOptions, listener: FeedListener) {
    this.#options = options;
    this.#listener = listener;
    this.#rollCall = new RollCall(options);
  }

  /** From when on nothing was missed; infinity while it may be. */
  get completeSince(): number {
    return this.#lostAt === undefined ? this.#regainedAt : Number.POSITIVE_INFINITY;
  }

  /** To be called at every use: nothing is asked of the layer before the first. */
  start(): void {
    if (this.#started || this.#closed) return;
    this.#started = true;
    this.#lostAt = this.#heardAt = this.#options.clock.now();
    this.#tick();
  }

  /** Tells the others. Where that fails, it rejects, and they are told when the layer is back. */
  async publish(revocation: Revocation): Promise<void> {
    const at = this.#options.clock.now();
    try {
      await this.#say({ type: "lease.revoke", from: this.#id, ...revocation });
    } catch (error) {
      this.#lose(error);
      // By the time they hear of it the user may have logged in again.
      const late =
        revocation.of === "user" ? { ...revocation, issuedBefore: revocation.issuedBefore ?? at } : revocation;
      if (!this.#closed && this.#untold.length < maxUntold) this.#untold.push(late);
      throw error;
    }
  }

  /** How many connections a user has by each login, here and in the processes that answer in time. Never rejects. */
  connectionsOf(user: string): Promise<Tally> {
    const own = this.#listener.tally(user);
    const channel = this.#channel;
    if (channel === undefined || this.#lostAt !== undefined) return Promise.resolve(own);
    return this.#rollCall.call(own, this.#regainedAt, (question) =>
      this.#say({ ...question, from: this.#id, user, channel: channel.name }),
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#rollCall.close();
    this.#untold = [];
    this.#options.schedule.remove(this.#beat);
    // Where the last member leaves a group, a layer takes what is still being sent to it for done.
    await Promise.allSettled(this.#saying);
    await this.#channel?.close();
  }

  async #say(notice: Beat | Revoke | Ask): Promise<void> {
    const said = this.#options.layer.groupSend(everybody, { ...notice }).then(() => {});
    this.#saying.add(said);
    try {
      await said;
    } finally {
      this.#saying.delete(said);
    }
  }

  #tick(): void {
    const { clock, schedule, beatEvery } = this.#options;
    schedule.set(this.#beat, clock.now() + beatEvery);
    if (!this.#heard) this.#lose(new LayerUnavailable("this process does not hear itself on the channel layer"));
    this.#heard = false;
    this.#call().catch((error: unknown) => this.#lose(error));
  }

  /** Joins the others where there is doubt about it, which changes nothing for a member, and makes itself heard. */
  async #call(): Promise<void> {
    const channel = this.#channel ?? (await this.#open());
    if (channel === undefined) return;
    if (this.#lostAt !== undefined) await this.#options.layer.groupAdd(everybody, channel.name);
    if (!this.#closed) await this.#say({ type: "lease.beat", from: this.#id });
  }

  async #open(): Promise<Channel | undefined> {
    if (this.#opening) return undefined;
    this.#opening = true;
    try {
      const channel = await this.#options.layer.open({ prefix: "leases", gaps: true, capacity });
      if (this.#closed) {
        await channel.close();
        return undefined;
      }
      this.#channel = channel;
      this.#read(channel);
      return channel;
    } finally {
      this.#opening = false;
    }
  }

  #read(channel: Channel): void {
    const lost = (error: unknown): void => {
      this.#channel = undefined;
      this.#lose(error);
    };
    // Whoever has closed it: the next beat opens another one.
    channel
      .pipe((message) => this.#hear(message))
      .then(() => lost(new LayerUnavailable("the channel of the leases was closed")), lost);
  }

  #hear(message: LayerMessage): void {
    if (this.#closed) return;
    if (message.type === "layer.gap") {
      this.#regain(message.since as number);
      return;
    }
    const notice = readNotice(message);
    if (notice === undefined) {
      this.#malformed++;
      this.#options.logger.warn(
        { type: message.type, malformed: this.#malformed },
        "the leases were sent what they cannot read",
      );
      return;
    }
    if (notice.from !== this.#id) {
      this.#hearPeer(notice);
      return;
    }
    // What this process has revoked has been done here, and since then a user may have logged in again.
    if (this.#lostAt === undefined) this.#note();
    else this.#regain(this.#lostAt);
  }

  #hearPeer(notice: Notice): void {
    this.#rollCall.heard(notice.from);
    if (notice.type === "lease.revoke") this.#listener.revoked(notice);
    else if (notice.type === "lease.tell") this.#rollCall.answered(notice);
    else if (notice.type === "lease.ask") this.#answer(notice);
  }

  /** Who does not get it does without. */
  #answer({ ask, user, channel }: Ask): void {
    const logins = Object.fromEntries(this.#listener.tally(user));
    this.#options.layer.send(channel, { type: "lease.tell", from: this.#id, ask, logins }).catch(() => {});
  }

  #note(): void {
    this.#heard = true;
    this.#heardAt = this.#options.clock.now();
  }

  #regain(since: number): void {
    const from = Math.min(since, this.#lostAt ?? since);
    this.#note();
    this.#lostAt = undefined;
    this.#regainedAt = this.#heardAt;
    if (this.#warned) this.#options.logger.info({}, "revocations of other processes come through again");
    this.#warned = false;
    this.#listener.regained(from);
    // Who asked for them has been told that it failed; one that fails again is kept again.
    for (const revocation of this.#untold.splice(0)) this.publish(revocation).catch(() => {});
  }

  /** One line per outage. */
  #lose(error: unknown): void {
    if (this.#closed) return;
    if (!this.#warned) {
      this.#warned = true;
      this.#options.logger.warn({ err: error }, "revocations of other processes do not come through");
    }
    if (this.#lostAt !== undefined) return;
    this.#lostAt = this.#heardAt;
    this.#listener.cutOff(this.#lostAt);
  }
}
