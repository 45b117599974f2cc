import { ChannelFull, ConfigurationError, LayerUnavailable } from "../errors.js";
import type { Broker } from "../ports/broker.js";
import type { Channel, ChannelLayer, ChannelOptions, GroupSendResult, LayerMessage } from "../ports/channel-layer.js";
import type { Cancel } from "../ports/clock.js";
import { type Logger, silentLogger } from "../ports/logger.js";
import { steadyLogger } from "../ports/steady-logger.js";
import { DropLog } from "./drop-log.js";
import { openEnvelope, sealEnvelope } from "./envelope.js";
import { type ChannelLayerOptions, type LayerCounts, LocalChannels } from "./local-channels.js";
import { NamedReaders } from "./named-readers.js";
import { checkChannelName, checkGroupName, checkMemberName, checkSharedName, isNamed } from "./names.js";
import { PendingAnswers } from "./pending-answers.js";
import { parsedMessage, plainMessage } from "./plain-message.js";
import { processName } from "./process-name.js";
import { Subscriptions } from "./subscriptions.js";
import { everybody, groupTopic, processTopic, queueTopic } from "./topics.js";

export interface BrokeredChannelLayerOptions extends ChannelLayerOptions {
  /** Milliseconds the broker may take to answer, after them `LayerUnavailable`: 2,000 if left out. */
  readonly timeout?: number;
  /** Told when the broker goes and when it is back, and of messages that were dropped. */
  readonly logger?: Logger;
}

/** What became of a request to another process. One that is gone has nothing to do any more. */
type Outcome = "done" | "full" | "failed" | "gone";

/** Milliseconds until what the broker refused to subscribe to is tried again. */
const pause = 1_000;
const nobody: GroupSendResult = { delivered: 0, dropped: 0 };

/**
 * A channel layer across processes, on a {@link Broker}. A process subscribes to each group that it has a member of, so a
 * `groupSend` is one publish however many members there are, and hands the message to them itself. Its own members get a
 * message when it comes back from the broker: so all see the messages of a group in one order.
 *
 * Nothing about memberships is kept outside the processes; one that dies leaves nothing behind. When the broker has been
 * away, subscriptions are restored and channels with `gaps` get a {@link LayerGap}.
 */
export class BrokeredChannelLayer implements ChannelLayer {
  readonly #broker: Broker;
  readonly #logger: Logger;
  readonly #local: LocalChannels;
  readonly #subscriptions: Subscriptions;
  /** What was sent to groups and has yet to be confirmed: by its echo, where this process hears the group. */
  readonly #groupSends: PendingAnswers;
  /** What else was asked of the broker and of other processes. */
  readonly #pending: PendingAnswers;
  readonly #readers: NamedReaders;
  readonly #drops: DropLog;
  /** Names this process among all others. */
  readonly #process = processName();
  /** Undefined once the broker has been reached. */
  #ready: Promise<void> | undefined;
  #becomeReady!: () => void;
  /** Changes with every connection and every loss of one. */
  #connection = 0;
  /** Since when messages may be missing; undefined if none are. */
  #deafSince: number | undefined;
  /** Messages of this process to itself that are on their way through the broker. */
  #roundTrips = 0;
  #opened = 0;
  #cancelRetry: Cancel | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;

  /** Begins to connect. Throws `ConfigurationError` for a number out of range. */
  constructor(broker: Broker, options: BrokeredChannelLayerOptions = {}) {
    const { timeout = 2_000, logger = silentLogger } = options;
    if (!(timeout > 0)) throw new ConfigurationError(`expected a timeout above 0 ms, got ${timeout}`);
    this.#broker = broker;
    this.#logger = steadyLogger(logger);
    this.#local = new LocalChannels(options, (group) => this.#deserted(groupTopic(group)));
    this.#drops = new DropLog(this.#local.clock, this.#logger);
    this.#subscriptions = new Subscriptions(broker);
    this.#groupSends = new PendingAnswers(this.#local.clock, timeout);
    this.#pending = new PendingAnswers(this.#local.clock, timeout);
    this.#readers = new NamedReaders({
      broker,
      clock: this.#local.clock,
      logger: this.#logger,
      answered: (work) => this.#answered(work),
      deserted: (channel) => this.#subscriptions.remove(queueTopic(channel)),
    });
    this.#ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    broker.connect({
      message: (topic, payload) => this.#message(topic, payload),
      connected: () => this.#connected(),
      disconnected: (cause, since) => this.#disconnected(cause, since),
    });
  }

  /** What this process has. */
  get counts(): LayerCounts {
    return this.#local.counts;
  }

  /** How many messages to channels of this process were dropped because those were full. */
  get dropped(): number {
    return this.#local.dropped;
  }

  /**
   * Resolves when the broker has been reached once; rejects with `LayerUnavailable` when a try to reach it fails. During the
   * first try everything that is asked of the layer waits for the same.
   */
  async ready(): Promise<void> {
    this.#checkOpen();
    if (this.#ready !== undefined) await this.#answered(this.#ready);
  }

  async open(options: ChannelOptions = {}): Promise<Channel> {
    this.#checkOpen();
    const name = `${options.prefix ?? "specific"}.${this.#process}!${(this.#opened++).toString(36)}`;
    checkChannelName(name);
    await this.ready();
    this.#checkOpen();
    return this.#local.open(name, options);
  }

  async openNamed(name: string): Promise<Channel> {
    this.#checkOpen();
    checkSharedName(name);
    await this.ready();
    this.#checkOpen();
    const reader = this.#readers.open(name);
    try {
      await this.#answered(this.#subscriptions.add(queueTopic(name)));
    } catch (error) {
      await reader.close();
      throw error;
    }
    return reader;
  }

  async send(channel: string, message: LayerMessage): Promise<void> {
    this.#checkOpen();
    checkChannelName(channel);
    const plain = plainMessage(message);
    if (this.#isStarting) await this.ready();
    const owner = ownerOf(channel);
    const taken = isNamed(channel)
      ? this.#push(channel, plain)
      : owner === this.#process
        ? this.#put(channel, plain)
        : this.#sendTo(owner, channel, plain);
    if (!(await taken)) throw new ChannelFull(`the channel "${channel}" holds as many messages as it may`);
  }

  async groupAdd(group: string, channel: string): Promise<void> {
    this.#checkOpen();
    checkGroupName(group);
    checkMemberName(channel);
    if (this.#isStarting) await this.ready();
    const owner = ownerOf(channel);
    if (owner === this.#process) await this.#join(group, channel);
    else if ((await this.#ask(owner, ["join", channel, group])) === "failed") {
      throw new LayerUnavailable(`the process of the channel "${channel}" cannot join the group "${group}"`);
    }
  }

  async groupDiscard(group: string, channel: string): Promise<void> {
    checkGroupName(group);
    checkMemberName(channel);
    const owner = ownerOf(channel);
    if (owner === this.#process) this.#local.leave(group, channel);
    else if (!this.#closed) await this.#ask(owner, ["leave", channel, group]);
  }

  async groupSend(group: string, message: LayerMessage): Promise<GroupSendResult> {
    this.#checkOpen();
    checkGroupName(group);
    const plain = plainMessage(message);
    if (this.#isStarting) await this.ready();
    const topic = groupTopic(group);
    // Only what this process hears comes back to it.
    const echoes = this.#subscriptions.confirmed(topic);
    const { id, answer } = this.#groupSends.ask<GroupSendResult>(topic, plain);
    this.#broker.publish(topic, sealEnvelope([this.#process, `${id}`], JSON.stringify(plain))).then(
      (heard) => {
        if (!echoes || !heard) this.#groupSends.answer(id, nobody);
      },
      (error: unknown) => this.#groupSends.reject(id, error),
    );
    return answer;
  }

  /**
   * What to publish for a `groupSend` that goes another way than through the broker's `publish`, such as a transaction of the
   * application's. Every process takes it for another's, also this one: nobody waits for it. Throws as `groupSend` rejects.
   */
  protected groupPayload(group: string, message: LayerMessage): { readonly topic: string; readonly payload: string } {
    this.#checkOpen();
    checkGroupName(group);
    return { topic: groupTopic(group), payload: sealEnvelope(["-"], JSON.stringify(plainMessage(message))) };
  }

  /** Everywhere, not only in this process. */
  async flush(): Promise<void> {
    await this.ready();
    await this.#answered(this.#broker.flush());
    const { id, answer } = this.#pending.ask<void>(everybody);
    this.#broker
      .publish(everybody, sealEnvelope([this.#process, `${id}`, "flush"]))
      .catch((error: unknown) => this.#pending.reject(id, error));
    await answer;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#changeConnection();
    await this.#readers.close();
    // Before groups are deserted, which would be an answer to what was sent to them.
    this.#rejectAll(closed());
    await this.#local.close();
    this.#drops.close();
    await this.#broker.close();
  }

  /** What was begun on the connection before is nobody's business any more. */
  #changeConnection(): number {
    this.#cancelRetry?.();
    return ++this.#connection;
  }

  #connected(): void {
    if (this.#closed) return;
    const connection = this.#changeConnection();
    this.#restore().then(
      () => {
        if (connection === this.#connection) this.#restored();
      },
      (error: unknown) => {
        if (connection !== this.#connection) return;
        this.#logger.warn({ err: error }, "the channel layer cannot restore its subscriptions, and tries again");
        this.#cancelRetry = this.#local.clock.after(pause, () => this.#connected());
      },
    );
  }

  async #restore(): Promise<void> {
    const topics = [everybody, processTopic(this.#process)];
    await this.#answered(
      Promise.all([this.#subscriptions.restore(), ...topics.map((topic) => this.#subscriptions.add(topic))]),
    );
  }

  #restored(): void {
    const since = this.#deafSince;
    this.#deafSince = undefined;
    this.#becomeReady();
    this.#ready = undefined;
    if (since !== undefined) {
      this.#logger.info({ ms: this.#local.clock.now() - since }, "the channel layer is back");
      this.#local.noteGap("unavailable", since);
    }
    this.#readers.wakeAll();
  }

  #disconnected(cause: unknown, since: number): void {
    if (this.#closed) return;
    this.#changeConnection();
    if (this.#deafSince === undefined) {
      this.#logger.warn({ err: cause }, "the channel layer cannot be reached, and is called again");
    }
    this.#deafSince ??= since;
    this.#subscriptions.lost();
    this.#rejectAll(new LayerUnavailable("the channel layer cannot be reached", { cause }));
  }

  #rejectAll(error: LayerUnavailable): void {
    this.#groupSends.rejectAll(error);
    this.#pending.rejectAll(error);
  }

  /** A listener must not throw: what a broker brings may come from anybody. */
  #message(topic: string, payload: string): void {
    try {
      if (topic.startsWith("queue:")) this.#readers.wake(topic.slice("queue:".length));
      else if (topic.startsWith("group:")) this.#groupMessage(topic.slice("group:".length), payload);
      else this.#request(payload);
    } catch (error) {
      this.#logger.warn({ topic, err: error }, "the channel layer got something that no layer has sent");
    }
  }

  #groupMessage(group: string, payload: string): void {
    const { words, body } = openEnvelope(payload);
    const [process, id] = words;
    const own =
      process === this.#process ? (this.#groupSends.about(Number(id)) as LayerMessage | undefined) : undefined;
    const result = this.#local.putToAll(group, own ?? parsedMessage(body));
    if (process === this.#process) this.#groupSends.answer(Number(id), result);
    else this.#drops.add(result.dropped);
  }

  #request(payload: string): void {
    const { words, body } = openEnvelope(payload);
    const [process = "", id = "", verb, channel = "", group = ""] = words;
    const reply = (outcome: Outcome): void => {
      if (process === this.#process) {
        this.#pending.answer(Number(id), outcome);
        return;
      }
      // Who asked waits for its own time-out, or has gone.
      this.#broker.publish(processTopic(process), sealEnvelope([this.#process, id, "reply", outcome])).catch(() => {});
    };
    switch (verb) {
      case "send":
        reply(this.#local.put(channel, parsedMessage(body)) ? "done" : "full");
        break;
      case "join":
        checkGroupName(group);
        this.#join(group, channel).then(
          () => reply("done"),
          () => reply("failed"),
        );
        break;
      case "leave":
        this.#local.leave(group, channel);
        reply("done");
        break;
      case "reply":
        this.#pending.answer(Number(id), channel);
        break;
      case "flush":
        this.#local.flush();
        if (process === this.#process) this.#pending.answer(Number(id), undefined);
        break;
      default:
        throw new TypeError(`expected send, join, leave, reply or flush, got ${JSON.stringify(verb?.slice(0, 20))}`);
    }
  }

  /** Asks the process that a channel belongs to. */
  #ask(process: string, words: readonly string[], body?: string): Promise<Outcome> {
    const topic = processTopic(process);
    const { id, answer } = this.#pending.ask<Outcome>(topic);
    this.#broker.publish(topic, sealEnvelope([this.#process, `${id}`, ...words], body)).then(
      (heard) => {
        if (!heard) this.#pending.answer(id, "gone");
      },
      (error: unknown) => this.#pending.reject(id, error),
    );
    return answer;
  }

  async #join(group: string, channel: string): Promise<void> {
    const joined = this.#local.join(group, channel);
    if (!this.#local.has(group)) return;
    try {
      await this.#answered(this.#subscriptions.add(groupTopic(group)));
    } catch (error) {
      if (joined) this.#local.leave(group, channel);
      throw error;
    }
  }

  /**
   * Into a channel of this process. What it has sent to groups just before is on its way through the broker: so that nothing
   * overtakes it, this then goes the same way.
   */
  async #put(channel: string, message: LayerMessage): Promise<boolean> {
    if (this.#groupSends.size === 0 && this.#roundTrips === 0) return this.#local.put(channel, message);
    this.#roundTrips++;
    try {
      const outcome = await this.#ask(this.#process, ["send", channel], JSON.stringify(message));
      // The broker has yet to hear where this process is: then nothing is on its way to it either.
      return outcome === "gone" ? this.#local.put(channel, message) : outcome !== "full";
    } finally {
      this.#roundTrips--;
    }
  }

  async #sendTo(process: string, channel: string, message: LayerMessage): Promise<boolean> {
    return (await this.#ask(process, ["send", channel], JSON.stringify(message))) !== "full";
  }

  async #push(channel: string, message: LayerMessage): Promise<boolean> {
    const limits = { capacity: this.#local.capacityOf(channel), expiry: this.#local.expiry };
    const pushed = this.#broker.push(channel, JSON.stringify(message), limits);
    // Not awaited first: it takes effect after the push. If it is lost, readers look by themselves.
    this.#broker.publish(queueTopic(channel), "").catch(() => {});
    return this.#answered(pushed);
  }

  #deserted(topic: string): void {
    this.#subscriptions.remove(topic);
    this.#groupSends.answerAll(topic, nobody);
  }

  /** What `work` resolves with, or `LayerUnavailable` when it takes too long. */
  #answered<Value>(work: Promise<Value>): Promise<Value> {
    const { id, answer } = this.#pending.ask<Value>();
    work.then(
      (value) => this.#pending.answer(id, value),
      (error: unknown) => this.#pending.reject(id, error),
    );
    return answer;
  }

  get #isStarting(): boolean {
    return this.#ready !== undefined && this.#deafSince === undefined;
  }

  #checkOpen(): void {
    if (this.#closed) throw closed();
  }
}

/** The process that a process-local channel belongs to; nonsense for a named one. */
function ownerOf(channel: string): string {
  const head = channel.slice(0, channel.indexOf("!"));
  return head.slice(head.lastIndexOf(".") + 1);
}

function closed(): LayerUnavailable {
  return new LayerUnavailable("the channel layer is closed");
}
