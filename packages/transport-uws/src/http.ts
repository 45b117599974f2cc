import type { HeaderList, HttpSession, HttpTransport, ProtocolServer, RequestHead, WriteStatus } from "@sluice/core";
import type { ConnectionSettings } from "./connection-settings.js";
import type { NativeResponse } from "./native.js";
import { respond, responseHead } from "./response.js";
import { StreamedResponse } from "./streamed-response.js";

const empty = new Uint8Array(0);

/** Milliseconds between two attempts to write to a socket that is paused. */
const nudgeInterval = 10;

/** One request and its response. */
export class HttpConnection implements HttpTransport {
  readonly #response: NativeResponse;
  readonly #method: string;
  readonly #settings: ConnectionSettings;
  #session: HttpSession | undefined;
  #streamed: StreamedResponse | undefined;
  /** False once the native response has been ended or aborted: it must not be touched from then on. */
  #open = true;
  #paused = false;
  #received = false;
  #nudge: ReturnType<typeof setTimeout> | undefined;

  constructor(response: NativeResponse, method: string, settings: ConnectionSettings) {
    this.#response = response;
    this.#method = method;
    this.#settings = settings;
  }

  /** Runs the application on the request. Call it in the callback that brought the request. */
  open(server: ProtocolServer, head: RequestHead): void {
    const { guard } = this.#settings;
    // First of all: without it, the native side ends the process when the callback returns.
    this.#response.onAborted(guard(() => this.#aborted()));
    this.#response.onData(guard((chunk: ArrayBuffer, last: boolean) => this.#data(chunk, last)));
    this.#session = server.openHttp(this, head);
  }

  respond(status: number, headers: HeaderList, body: Uint8Array | string): void {
    if (!this.#open) return;
    this.#readOn();
    this.#open = false;
    respond(this.#response, responseHead(this.#method, status, headers), body);
  }

  start(status: number, headers: HeaderList): void {
    if (!this.#open) return;
    const { maxBackpressure, guard } = this.#settings;
    const head = responseHead(this.#method, status, headers);
    this.#streamed = new StreamedResponse(this.#response, head, maxBackpressure);
    // Resuming restores what the last pause found, of two states: with something left to write, or nothing. This one has
    // to be on record, or a socket that is paused in the one and resumed in the other is never read again.
    if (!this.#received && !this.#paused) {
      this.#response.pause();
      this.#response.resume();
    }
    const drain = guard(() => this.#drain());
    this.#response.onWritable(() => {
      drain();
      return true;
    });
  }

  write(chunk: Uint8Array | string): WriteStatus {
    if (!this.#open || this.#streamed === undefined) return "ok";
    const status = this.#streamed.write(chunk);
    this.#open = !this.#streamed.isComplete;
    return status;
  }

  end(): void {
    if (!this.#open || this.#streamed === undefined) return;
    if (this.#streamed.isShort) {
      this.abort();
      return;
    }
    this.#readOn();
    this.#streamed.end();
    this.#open = !this.#streamed.isComplete;
  }

  abort(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#response.close();
  }

  pause(): void {
    if (!this.#open) return;
    this.#paused = true;
    this.#response.pause();
    if (this.#streamed !== undefined) this.#holdPaused();
  }

  resume(): void {
    if (this.#open) this.#readOn();
  }

  /** What is left of the request body must not stand in the way of the next request. */
  #readOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#response.resume();
  }

  #data(chunk: ArrayBuffer, last: boolean): void {
    this.#received = last;
    if (!this.#open || this.#session === undefined) return;
    this.#session.data(chunk.byteLength === 0 ? empty : new Uint8Array(chunk.slice(0)), last);
  }

  #aborted(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#session?.aborted();
  }

  #drain(): void {
    if (!this.#open || this.#streamed === undefined) return;
    this.#streamed.drain();
    this.#open = !this.#streamed.isComplete;
    if (!this.#streamed.isBehind) this.#session?.drained();
  }

  /**
   * Whatever the native side tries to write makes a paused socket readable again, and it tries when the callback that
   * paused it returns. And a paused socket is not reported writable: the response would wait for ever.
   */
  #holdPaused(): void {
    const { guard } = this.#settings;
    setImmediate(
      guard(() => {
        if (this.#open && this.#paused) this.#response.pause();
      }),
    );
    this.#nudge ??= setTimeout(
      guard(() => {
        this.#nudge = undefined;
        if (!this.#paused) return;
        this.#drain();
        if (this.#paused) this.pause();
      }),
      nudgeInterval,
    );
  }
}
