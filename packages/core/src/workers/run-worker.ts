import type { App, Receive, Scope } from "../app.js";
import { ClientDisconnected, ConfigurationError } from "../errors.js";
import type { Channel, ChannelLayer, LayerMessage } from "../ports/channel-layer.js";
import { type Logger, silentLogger } from "../ports/logger.js";
import { steadyLogger } from "../ports/steady-logger.js";

export interface RunWorkerOptions {
  readonly layer: ChannelLayer;
  /** The named channels to read. */
  readonly channels: readonly string[];
  /** Messages of each channel that are worked on at the same time: 1 if left out, which keeps their order. */
  readonly concurrency?: number;
  readonly logger?: Logger;
}

/** A worker that runs. */
export interface Worker {
  /** Takes no more messages, and resolves when the ones that were taken have been worked on. */
  close(): Promise<void>;
}

/**
 * Reads named channels and runs `app` once per message, with a scope of its own. What the application throws is logged, and
 * the next message comes. A message is taken once: if the process dies over it, it is lost.
 *
 * Throws `ConfigurationError` for no channel or a bad concurrency. Rejects with a `TypeError` for a bad name and with
 * `LayerUnavailable`.
 */
export async function runWorker(app: App<"channel">, options: RunWorkerOptions): Promise<Worker> {
  const { layer, channels, concurrency = 1, logger = silentLogger } = options;
  if (channels.length === 0) throw new ConfigurationError("expected at least one channel to read, got none");
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new ConfigurationError(`expected a concurrency that is a whole number from 1, got ${concurrency}`);
  }
  const steady = steadyLogger(logger);
  const readers: Channel[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(readers.map((reader) => reader.close()));
  };
  try {
    // One that is named twice would be read twice at the same time.
    for (const channel of new Set(channels)) {
      for (let count = 0; count < concurrency; count++) readers.push(await layer.openNamed(channel));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const reading = readers.map((reader) => reader.pipe((message) => work(app, reader.name, message, steady)));
  return {
    async close() {
      await close();
      await Promise.all(reading);
    },
  };
}

async function work(app: App<"channel">, channel: string, message: LayerMessage, logger: Logger): Promise<void> {
  const scope: Scope<"channel"> = { type: "channel", channel };
  try {
    await app(scope, once(message), () => {});
  } catch (error) {
    logger.error({ err: error, channel, type: message.type }, "a worker's application failed on a message");
  }
}

/** One message, and then the end. */
function once(message: LayerMessage): Receive<"channel"> {
  let left: LayerMessage | undefined = message;
  const take = (): LayerMessage | undefined => {
    const taken = left;
    left = undefined;
    return taken;
  };
  return Object.assign(
    async () => {
      const taken = take();
      if (taken === undefined) throw new ClientDisconnected("a worker's application gets one message, and has had it");
      return { type: "channel.receive" as const, message: taken };
    },
    {
      async pipe(sink: Parameters<Receive<"channel">["pipe"]>[0]) {
        const taken = take();
        if (taken !== undefined) await sink({ type: "channel.receive", message: taken });
      },
    },
  );
}
