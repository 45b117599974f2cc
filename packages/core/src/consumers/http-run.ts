import type { MaybePromise, ReceiveEvent, Scope, Send, SendEvent } from "../app.js";
import type { HttpRequestEvent } from "../events.js";
import { concatenate } from "../session/concatenate.js";
import { refusal } from "../session/refusal.js";
import type { ConsumerContext } from "./consumer.js";
import { ConsumerRun, type ConsumerSetup } from "./consumer-run.js";
import type { HttpConsumer } from "./http-consumer.js";

/** The life of an {@link HttpConsumer}. */
export class HttpRun extends ConsumerRun<"http"> {
  protected readonly consumer: HttpConsumer;
  #body: Uint8Array[] = [];
  #size = 0;
  #started = false;

  constructor(
    setup: ConsumerSetup,
    consumer: new (context: ConsumerContext<"http">) => HttpConsumer,
    scope: Scope<"http">,
    send: Send<"http">,
  ) {
    super(setup, scope, send);
    this.consumer = new consumer(this);
  }

  override emit(event: SendEvent<"http">): MaybePromise<void> {
    const sent = super.emit(event);
    if (event.type === "http.response.start") this.#started = true;
    else if (event.moreBody !== true) this.ended = true;
    return sent;
  }

  protected dispatch(event: ReceiveEvent<"http">): MaybePromise<void> {
    if (event.type === "http.request") return this.#request(event);
    this.ended = true;
  }

  protected stopped(): MaybePromise<void> {
    return this.#started ? this.emit({ type: "http.response.body" }) : undefined;
  }

  protected failed(error: unknown): unknown {
    return error;
  }

  protected disconnect(): MaybePromise<void> {
    return this.consumer.disconnect();
  }

  #request({ body, moreBody }: HttpRequestEvent): MaybePromise<void> {
    this.#size += body.byteLength;
    if (this.#size > this.consumer.maxBodySize) throw refusal(413, "Content Too Large");
    if (body.byteLength > 0) this.#body.push(body);
    if (moreBody) return;
    // Of bytes it makes bytes.
    const whole = concatenate(this.#body) as Uint8Array;
    this.#body = [];
    const handled = this.consumer.handle(whole);
    this.listen();
    return handled;
  }
}
