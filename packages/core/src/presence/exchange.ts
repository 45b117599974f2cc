import { LayerUnavailable } from "../errors.js";
import type { Channel, ChannelLayer, LayerMessage } from "../ports/channel-layer.js";
import type { Cancel, Clock } from "../ports/clock.js";
import type { Logger } from "../ports/logger.js";
import { type Ask, type Gossip, readGossip } from "./gossip.js";
import { Peer } from "./peer.js";
import type { Entry, Roll } from "./roll.js";

/** Where the processes meet. */
const everybody = "sluice.presence";
/** Milliseconds between two beats. */
const beatEvery = 2_000;
/**
 * A process that is silent for so many beats of this one is dead: so after 6 to 8 seconds. With the default grace time its
 * users have left within 13.
 */
const silentBeats = 4;
/** Users in one piece of a state. */
const pieceSize = 100;

/**
 * Keeps the rolls of all processes in step, over nothing but the channel layer. Each process tells the others of its
 * changes, which are numbered, and says in regular beats how many there were; who finds that it has missed some asks for
 * the whole state.
 *
 * The beats of this process come back to it the way those of the others come, and are what their silence is measured by.
 * So a process that is cut off, or was stopped for a while, takes nobody for dead: it does not hear itself either.
 */
export class Exchange {
  readonly #id: string;
  readonly #roll: Roll;
  readonly #layer: ChannelLayer;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #peers = new Map<string, Peer>();
  #channel: Channel | undefined;
  #version = 0;
  #opening = false;
  /** Whether the last beat has come back. */
  #heard = true;
  #cutOff = false;
  #malformed = 0;
  #started = false;
  #closed = false;
  #cancelBeat: Cancel | undefined;

  constructor(id: string, roll: Roll, layer: ChannelLayer, clock: Clock, logger: Logger) {
    this.#id = id;
    this.#roll = roll;
    this.#layer = layer;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** To be called at every use: nothing is asked of the layer before the first. */
  start(): void {
    if (this.#started || this.#closed) return;
    this.#started = true;
    this.#beat();
  }

  /** A user has come to this process. */
  enter(entry: Entry): void {
    if (this.#closed) return;
    const change = this.#change();
    this.#roll.enter(this.#id, entry);
    this.publish(everybody, { type: "presence.enter", ...change, ...entry });
  }

  /** A user has no connection to this process any more. */
  exit(group: string, id: string): void {
    if (this.#closed) return;
    const change = this.#change();
    this.#roll.exit(this.#id, group, id);
    this.publish(everybody, { type: "presence.exit", ...change, group, id });
  }

  /** Sends to a group. Where that fails it is noted; the others will see by the next beat that they have missed something. */
  publish(group: string, message: LayerMessage): void {
    this.#layer.groupSend(group, message).catch((error: unknown) => this.#fail(error));
  }

  /** Takes leave of the others, who then need not wait for this process to be silent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelBeat?.();
    const channel = this.#channel;
    if (channel === undefined) return;
    await this.#layer.groupSend(everybody, { type: "presence.bye", ...this.#self() }).catch(() => {});
    await channel.close();
  }

  #self(): { readonly from: string; readonly version: number } {
    return { from: this.#id, version: this.#version };
  }

  /** Counts with the roll, not with the message: what is told of the roll may bring about the next change at once. */
  #change(): { readonly from: string; readonly version: number } {
    this.#version++;
    return this.#self();
  }

  #beat(): void {
    this.#cancelBeat = this.#clock.after(beatEvery, () => this.#beat());
    if (this.#channel === undefined) {
      this.#open().catch((error: unknown) => this.#fail(error));
      return;
    }
    if (!this.#heard) this.#fail(new LayerUnavailable("this process does not hear itself on the channel layer"));
    if (this.#cutOff) this.#join(this.#channel);
    this.#heard = false;
    this.publish(everybody, { type: "presence.beat", ...this.#self() });
  }

  async #open(): Promise<void> {
    if (this.#opening) return;
    this.#opening = true;
    try {
      const channel = await this.#layer.open({ prefix: "presence", gaps: true });
      if (this.#closed) return await channel.close();
      this.#channel = channel;
      this.#read(channel);
      this.#join(channel);
    } finally {
      this.#opening = false;
    }
  }

  #read(channel: Channel): void {
    const lost = (error: unknown): void => {
      this.#fail(error);
      this.#channel = undefined;
    };
    // Whoever has closed it: the next beat opens another one.
    channel
      .pipe((message) => this.#hear(message, channel))
      .then(() => lost(new LayerUnavailable("the channel of presence was closed")), lost);
  }

  /** Joins the others, which changes nothing for a member, and asks them what there is. */
  #join(channel: Channel): void {
    this.#layer.groupAdd(everybody, channel.name).then(
      () => this.#ask(null),
      (error: unknown) => this.#fail(error),
    );
  }

  #ask(of: string | null): void {
    if (this.#channel === undefined) return;
    this.publish(everybody, { type: "presence.ask", ...this.#self(), of, channel: this.#channel.name });
  }

  #hear(message: LayerMessage, channel: Channel): void {
    if (this.#closed) return;
    if (message.type === "layer.gap") {
      // What the others have said is lost: nobody was silent.
      for (const peer of this.#peers.values()) peer.silence = 0;
      this.#join(channel);
      return;
    }
    const gossip = readGossip(message);
    if (gossip === undefined) {
      this.#malformed++;
      this.#logger.warn({ type: message.type, malformed: this.#malformed }, "presence was sent what it cannot read");
    } else if (gossip.from === this.#id) {
      if (gossip.type === "presence.beat") this.#hearSelf();
    } else if (gossip.type === "presence.bye") this.#forget(gossip.from);
    else this.#hearPeer(gossip, this.#peer(gossip.from));
  }

  /** Several may come at once, after a time in which none did. They count as one, as those of the others may be yet to come. */
  #hearSelf(): void {
    if (this.#heard) return;
    this.#heard = true;
    if (this.#cutOff) {
      this.#cutOff = false;
      this.#logger.info({}, "presence reaches the other processes again");
    }
    for (const [id, peer] of this.#peers) {
      if (++peer.silence < silentBeats) continue;
      this.#logger.warn({ process: id }, "a process is silent, and its users are taken to have gone");
      this.#forget(id);
    }
  }

  #hearPeer(gossip: Exclude<Gossip, { type: "presence.bye" }>, peer: Peer): void {
    const { from, version } = gossip;
    peer.silence = 0;
    switch (gossip.type) {
      case "presence.enter":
      case "presence.exit":
        if (version === peer.version + 1) {
          peer.version = version;
          if (gossip.type === "presence.enter") this.#roll.enter(from, gossip);
          else this.#roll.exit(from, gossip.group, gossip.id);
        } else if (version > peer.version) this.#catchUp(from, peer);
        return;
      case "presence.state": {
        const entries = peer.collect(gossip);
        if (entries === undefined) return;
        peer.version = version;
        peer.asked = false;
        this.#roll.replace(from, entries);
        return;
      }
      case "presence.ask":
        if (gossip.of === null || gossip.of === this.#id) this.#answer(gossip);
        break;
      case "presence.beat":
        peer.asked = false;
    }
    if (version !== peer.version) this.#catchUp(from, peer);
  }

  /** Not again before there is an answer, or a beat has shown that there is none. */
  #catchUp(process: string, peer: Peer): void {
    if (peer.asked) return;
    peer.asked = true;
    this.#ask(process);
  }

  #answer({ channel }: Ask): void {
    const all = this.#roll.entriesOf(this.#id);
    const parts = Math.max(1, Math.ceil(all.length / pieceSize));
    for (let part = 0; part < parts; part++) {
      const entries = all.slice(part * pieceSize, (part + 1) * pieceSize);
      // Who does not get it asks again, or has gone.
      this.#layer.send(channel, { type: "presence.state", ...this.#self(), part, parts, entries }).catch(() => {});
    }
  }

  #peer(id: string): Peer {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      peer = new Peer();
      this.#peers.set(id, peer);
    }
    return peer;
  }

  #forget(id: string): void {
    if (this.#peers.delete(id)) this.#roll.replace(id, []);
  }

  /** One line per outage. */
  #fail(error: unknown): void {
    if (this.#cutOff || this.#closed) return;
    this.#cutOff = true;
    this.#logger.warn({ err: error }, "presence does not reach the other processes, and keeps what it knows");
  }
}
