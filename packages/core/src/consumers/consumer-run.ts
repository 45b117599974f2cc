import type { Connection, MaybePromise, Receive, ReceiveEvent, Scope, Send, SendEvent } from "../app.js";
import type { Renewed } from "../auth/authenticated.js";
import { renewedScope, renewOf } from "../auth/renewal.js";
import type { SecurityReports } from "../auth/security-reports.js";
import { ClientDisconnected, ConfigurationError, SlowConsumer, StopConsumer } from "../errors.js";
import type { Channel, ChannelLayer, LayerMessage } from "../ports/channel-layer.js";
import type { Logger } from "../ports/logger.js";
import type { ConsumerContext } from "./consumer.js";
import type { LayerHandlers } from "./layer-handlers.js";
import { Turns } from "./turns.js";

/** What all connections of one application share. */
export interface ConsumerSetup {
  readonly layer: ChannelLayer | undefined;
  readonly handlers: LayerHandlers;
  readonly logger: Logger;
  readonly reports: SecurityReports | undefined;
}

interface Failure {
  readonly error: unknown;
}

/**
 * One consumer's life: joins its groups, hands it the events of the connection and of the channel layer one at a time,
 * and puts everything away at the end, whatever the end was.
 */
export abstract class ConsumerRun<P extends Connection> implements ConsumerContext<P> {
  scope: Scope<P>;
  channel: Channel | undefined;
  /** True once nothing can reach the client any more: then nothing is dispatched either. */
  protected ended = false;
  protected abstract readonly consumer: { readonly groups: readonly string[] };
  readonly #setup: ConsumerSetup;
  readonly #send: Send<P>;
  readonly #turns = new Turns();
  /** Resolves what `run` has returned. Undefined from then on. */
  #leave: ((left: Promise<void>) => void) | undefined;

  constructor(setup: ConsumerSetup, scope: Scope<P>, send: Send<P>) {
    this.scope = scope;
    this.#setup = setup;
    this.#send = send;
  }

  /** Handles an event of the connection. Sets `ended` for the last one, calls `listen` while it handles the first. */
  protected abstract dispatch(event: ReceiveEvent<P>): MaybePromise<void>;

  /** Goes on after what a method has failed with. Throws what ends the consumer, as most does. */
  protected recover(error: unknown): MaybePromise<void> {
    throw error;
  }

  /** Tells the client that the consumer ended itself by `StopConsumer`. */
  protected abstract stopped(): MaybePromise<void>;

  /** Notes what the consumer failed with. Returns what is thrown for it. */
  protected abstract failed(error: unknown): unknown;

  /** Calls the consumer's `disconnect`. */
  protected abstract disconnect(): MaybePromise<void>;

  protected get logger(): Logger {
    return this.#setup.logger;
  }

  protected get reports(): SecurityReports | undefined {
    return this.#setup.reports;
  }

  get layer(): ChannelLayer | undefined {
    return this.#setup.layer;
  }

  emit(event: SendEvent<P>): MaybePromise<void> {
    if (this.ended) return;
    try {
      const sent = this.#send(event);
      return sent instanceof Promise ? sent.catch(passUnlessGone) : undefined;
    } catch (error) {
      passUnlessGone(error);
    }
  }

  async renew(token: string, allowed: (group: string) => boolean): Promise<Renewed> {
    const renew = renewOf(this.scope);
    if (renew === undefined) {
      throw new ConfigurationError(
        `expected ${this.consumer.constructor.name} to stand inside of TokenAuth, whose user it has, to renew a credential`,
      );
    }
    const renewed = await renew(token);
    this.scope = renewedScope(this.scope, renewed.grant);
    const { layer, channel } = this;
    if (layer !== undefined && channel !== undefined) {
      const left = channel.groups.filter((group) => !allowed(group));
      await Promise.all(left.map((group) => layer.groupDiscard(group, channel.name)));
    }
    return renewed;
  }

  /** Rejects with the first failure, after everything has been put away. The others are logged. */
  run(receive: Receive<P>): Promise<void> {
    // Not an async function: while it waits its frame is in memory, which is for as long as the connection is open.
    return new Promise((resolve) => {
      this.#leave = resolve;
      // Without a channel nothing stands between the handshake and connect(), not even a microtask.
      if (this.consumer.groups.length === 0 && this.#setup.handlers.size === 0) this.#live(receive);
      else this.#join().then(() => this.#live(receive), this.#fail);
    });
  }

  /** Lets messages of the layer in, each in its turn. */
  protected listen(): void {
    this.channel?.pipe(this.#turns.source(this, this.#hear, this.recover)).catch(this.#fail);
  }

  #hear(message: LayerMessage): MaybePromise<void> {
    return this.ended ? undefined : this.#setup.handlers.dispatch(this.consumer, message);
  }

  async #join(): Promise<void> {
    const { layer } = this.#setup;
    if (layer === undefined) {
      throw new ConfigurationError(`expected asApp(${this.consumer.constructor.name}, { layer }): it has groups`);
    }
    this.channel = await layer.open({ gaps: this.#setup.handlers.handles("layer.gap") });
    const { name } = this.channel;
    // All of them, also when one fails: a group joined after the channel was closed would never be left.
    const joined = await Promise.allSettled(this.consumer.groups.map((group) => layer.groupAdd(group, name)));
    for (const outcome of joined) if (outcome.status === "rejected") throw outcome.reason;
  }

  #live(receive: Receive<P>): void {
    try {
      receive.pipe(this.#turns.source(this, this.dispatch, this.recover)).then(() => this.#end(), this.#fail);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #fail = (error: unknown): void => this.#end({ error });

  /** The connection has ended, or either source has failed. The first counts: `run` ends with it. */
  #end(failure?: Failure): void {
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.(this.#putAway(failure));
  }

  async #putAway(failure: Failure | undefined): Promise<void> {
    const failures: unknown[] = [];
    if (failure?.error instanceof StopConsumer) await attempt(() => this.stopped(), failures);
    else if (failure !== undefined) failures.push(this.failed(failure.error));
    this.ended = true;
    // Side by side: one that fails, or takes long, does not keep the other from its work.
    await Promise.all([attempt(() => this.channel?.close(), failures), attempt(() => this.disconnect(), failures)]);
    for (const error of failures.slice(1)) {
      this.#setup.logger.error({ err: error }, "a consumer's cleanup failed after another failure");
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Takes one step of the end, which has nothing left for `StopConsumer` to stop. */
async function attempt(step: () => MaybePromise<void>, failures: unknown[]): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof StopConsumer)) failures.push(error);
  }
}

/** A client that has gone, or is being sent away for reading too slowly, is told of by the disconnect event. */
function passUnlessGone(error: unknown): void {
  if (!(error instanceof ClientDisconnected || error instanceof SlowConsumer)) throw error;
}
