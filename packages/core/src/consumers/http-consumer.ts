import type { MaybePromise } from "../app.js";
import type { HeaderList } from "../scope.js";
import { Consumer } from "./consumer.js";

export interface ResponseOptions {
  readonly headers?: HeaderList;
}

export interface BodyOptions {
  /** True if more of the body will follow. */
  readonly moreBody?: boolean;
}

/**
 * An application on one HTTP request, written as a class. It lives until it has sent the last of its body or the client
 * has left, so it can answer later, from the channel layer: long polling and server-sent events.
 *
 * A handler that only makes a response of a request is shorter as a fetch handler: see `fetchApp`. A loop in a method must
 * look at `this.scope.signal()`, since sending to a client that has left does nothing.
 *
 * @example
 * interface NewsEvents { "news.item": { headline: string } }
 *
 * class News extends HttpConsumer<{}, NewsEvents> {          // server-sent events, one stream per client
 *   static readonly handlers = ["news.item"] as const;
 *   override readonly groups = ["news"];
 *
 *   async handle() {
 *     await this.sendHeaders(200, { headers: [["content-type", "text/event-stream"], ["cache-control", "no-store"]] });
 *     await this.sendBody(": welcome\n\n", { moreBody: true });
 *   }
 *
 *   newsItem(event: { headline: string }) {
 *     return this.sendBody(`data: ${JSON.stringify(event.headline)}\n\n`, { moreBody: true });
 *   }
 * }
 *
 * const news = asApp(News, { layer });
 */
export abstract class HttpConsumer<Needs extends object = {}, Events extends object = {}> extends Consumer<
  "http",
  Needs,
  Events
> {
  /** Bytes that a request may have: 413 above it. */
  readonly maxBodySize: number = 1024 * 1024;

  /** The request is here, with all of its body. Messages of the layer wait until it has returned. */
  abstract handle(body: Uint8Array): MaybePromise<void>;

  /** The response is complete, or the client has left. Runs once, whatever happened. It cannot send any more. */
  disconnect(): MaybePromise<void> {}

  /** Begins a response. Goes out with the first piece of the body. */
  protected sendHeaders(status = 200, { headers = [] }: ResponseOptions = {}): MaybePromise<void> {
    return this.emit({ type: "http.response.start", status, headers });
  }

  /** Sends a piece of the body, the last one unless told otherwise. Await it: a promise means the client is behind. */
  protected sendBody(data: Uint8Array | string, { moreBody = false }: BodyOptions = {}): MaybePromise<void> {
    return this.emit({ type: "http.response.body", body: data, moreBody });
  }

  /** Sends a whole response. */
  protected sendResponse(status: number, body: Uint8Array | string, options?: ResponseOptions): MaybePromise<void> {
    const started = this.sendHeaders(status, options);
    return started instanceof Promise ? started.then(() => this.sendBody(body)) : this.sendBody(body);
  }
}
