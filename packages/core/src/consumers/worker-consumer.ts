import type { Scope } from "../app.js";
import { ConfigurationError } from "../errors.js";
import type { ChannelLayer } from "../ports/channel-layer.js";
import type { ConsumerLayer } from "./layer-events.js";

/** What a worker's consumer is made with. Hand it to `super` if you write a constructor. */
export interface WorkerContext<Needs extends object = {}> {
  readonly scope: Scope<"channel"> & Needs;
  /** Undefined if the application was made without one. */
  readonly layer: ChannelLayer | undefined;
}

/**
 * Work that a named channel brings, written as a class: one instance per message, whose type chooses the method.
 *
 * `Needs` names what the scope must carry, `Events` the messages it handles. Only those that `static handlers` lists reach
 * it; `"thumbnail.make"` calls `thumbnailMake`. What a method throws is logged and concerns no other message.
 *
 * @example
 * interface ThumbnailEvents { "thumbnail.make": { file: string } }
 *
 * class Thumbnails extends WorkerConsumer<{}, ThumbnailEvents> {
 *   static readonly handlers = ["thumbnail.make"] as const;
 *
 *   async thumbnailMake({ file }: { file: string }) {
 *     await shrink(file);
 *   }
 * }
 *
 * await runWorker(ChannelNameRouter({ thumbnails: asApp(Thumbnails, { layer }) }), { layer, channels: ["thumbnails"] });
 */
export abstract class WorkerConsumer<Needs extends object = {}, Events extends object = {}> {
  /** Never set: it lets `asApp` infer what the class was declared with. */
  declare readonly "~types"?: { readonly protocol: "channel"; readonly needs: Needs; readonly events: Events };
  readonly scope: Scope<"channel"> & Needs;
  readonly #layer: ChannelLayer | undefined;

  constructor({ scope, layer }: WorkerContext<Needs>) {
    this.scope = scope;
    this.#layer = layer;
  }

  /** The layer that `asApp` was given, for answers. It carries any message. */
  protected get channelLayer(): ConsumerLayer<{}> {
    if (this.#layer === undefined) throw new ConfigurationError(`expected asApp(${this.constructor.name}, { layer })`);
    return this.#layer;
  }
}
