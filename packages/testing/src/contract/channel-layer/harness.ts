import type { Channel, ChannelLayer, Clock, LayerMessage } from "@sluice/core";

/** What a layer under test is opened with. What is left out is the layer's default. */
export interface ChannelLayerSettings {
  readonly clock: Clock;
  /** Messages in one channel. */
  readonly capacity?: number;
  /** Milliseconds a message may wait. */
  readonly expiry?: number;
}

/** A layer under test, and others that are to be one with it. */
export interface ChannelLayerUnderTest {
  readonly layer: ChannelLayer;
  /** Opens what another process would: undefined for a layer that ends at the process. */
  readonly peer?: () => Promise<ChannelLayer>;
}

export interface ChannelLayerContract {
  readonly name: string;
  /** Called once per test, which finds nothing that another has left. The test closes the layer and its peers. */
  open(settings: ChannelLayerSettings): Promise<ChannelLayerUnderTest>;
  /** Why the layer has no peers: skips the tests between processes. */
  readonly withoutPeers?: string;
  /** Why time cannot be given by `clock`, as with a layer whose server has a clock of its own: skips those tests. */
  readonly withoutClock?: string;
}

/** Opens a layer that is closed after the test. */
export type Open = (settings?: Partial<ChannelLayerSettings>) => Promise<ChannelLayer>;

/** Opens as many layers as one would in as many processes; they are closed after the test. */
export type OpenSeveral = (count: number, settings?: Partial<ChannelLayerSettings>) => Promise<ChannelLayer[]>;

export function chat(text: string): LayerMessage {
  return { type: "chat.message", text };
}

export async function texts(channel: Channel | undefined, count: number): Promise<unknown[]> {
  const got: unknown[] = [];
  while (got.length < count) got.push((await channel?.receive())?.text);
  return got;
}

/** What a sink was given, to be waited for. */
export class Gathered {
  readonly #texts: string[] = [];
  readonly #waiting: { readonly count: number; resolve(): void }[] = [];

  add(text: unknown): void {
    this.#texts.push(String(text));
    for (const { count, resolve } of this.#waiting) if (this.#texts.length >= count) resolve();
  }

  /** All there is as soon as there are `count`: more than that is a failure of the test that looks. */
  async first(count: number): Promise<string[]> {
    if (this.#texts.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    return [...this.#texts];
  }
}
