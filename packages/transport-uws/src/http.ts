import type {
  Cancel,
  HeaderList,
  HttpSession,
  HttpTransport,
  ProtocolServer,
  RequestHead,
  WriteStatus,
} from "@sluice/core";
import { type ConnectionSettings, closeTimeout } from "./connection-settings.js";
import type { NativeResponse } from "./native.js";
import { type ResponseHead, respond, responseHead } from "./response.js";
import { StreamedResponse } from "./streamed-response.js";

const empty = new Uint8Array(0);

/** Bytes or characters of a body up to which a complete response is left to the native side, which then tells no more. */
const smallBody = 16 * 1024;

/** Milliseconds between two attempts to write to a socket that is paused. */
const nudgeInterval = 10;

/**
 * One request and its response.
 *
 * With `isLast`, the connection brings no other request after this one, whatever its client sends. So it has to be where
 * a PROXY protocol header tells who the client is: the native parser takes such a header before every request of a
 * connection, of which the proxy has sent the first and its client any other. The native side cuts a connection that
 * brings a request while another is not answered. So nothing is answered inside a native callback, which may have that
 * request at hand already, and a response that the native side would not close the connection after is never ended.
 */
export class HttpConnection implements HttpTransport {
  readonly #response: NativeResponse;
  readonly #method: string;
  readonly #settings: ConnectionSettings;
  readonly #isLast: boolean;
  #session: HttpSession | undefined;
  #streamed: StreamedResponse | undefined;
  /** False once the native response has been ended or aborted: it must not be touched from then on. */
  #open = true;
  /** True once the socket has the whole response, or is gone. */
  #left = false;
  #paused = false;
  #received = false;
  #nudge: ReturnType<typeof setTimeout> | undefined;
  #cancelCut: Cancel | undefined;

  constructor(response: NativeResponse, method: string, settings: ConnectionSettings, isLast: boolean) {
    this.#response = response;
    this.#method = method;
    this.#settings = settings;
    this.#isLast = isLast;
  }

  /** Runs the application on the request. Call it in the callback that brought the request. */
  open(server: ProtocolServer, head: RequestHead): void {
    const { guard } = this.#settings;
    // First of all: without it, the native side ends the process when the callback returns.
    this.#response.onAborted(guard(() => this.#aborted()));
    this.#response.onData(guard((chunk: ArrayBuffer, last: boolean) => this.#data(chunk, last)));
    if (this.#isLast) this.#later(() => this.#run(server, head));
    else this.#run(server, head);
  }

  respond(status: number, headers: HeaderList, body: Uint8Array | string): void {
    if (!this.#open) return;
    const head = responseHead(this.#method, status, headers, this.#isLast);
    this.#readOn();
    // Where the connection is to end with it, nothing but the native side can give a response a length.
    if (body.length > smallBody && !head.isBodiless && !this.#isLast) {
      const streamed = this.#begin({ ...head, contentLength: Buffer.byteLength(body) });
      streamed.write(body);
      this.#settle();
      return;
    }
    this.#open = false;
    this.#sent();
    respond(this.#response, head, body);
  }

  start(status: number, headers: HeaderList): void {
    if (this.#open) this.#begin(responseHead(this.#method, status, headers, this.#isLast));
  }

  #begin(head: ResponseHead): StreamedResponse {
    const { maxBackpressure, guard } = this.#settings;
    const streamed = new StreamedResponse(this.#response, head, maxBackpressure);
    this.#streamed = streamed;
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
    return streamed;
  }

  write(chunk: Uint8Array | string): WriteStatus {
    if (!this.#open || this.#streamed === undefined) return "ok";
    const status = this.#streamed.write(chunk);
    this.#settle();
    return status;
  }

  end(): void {
    if (!this.#open || this.#streamed === undefined) return;
    if (this.#streamed.isShort) {
      this.abort();
      return;
    }
    this.#readOn();
    if (this.#streamed.isBodiless) {
      // It may close the connection at once, which calls back.
      this.#open = false;
      this.#sent();
    }
    this.#streamed.end();
    this.#settle();
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
    if (!this.#open) return;
    const bytes = chunk.byteLength === 0 ? empty : new Uint8Array(chunk).slice();
    if (this.#isLast) this.#later(() => this.#session?.data(bytes, last));
    else this.#session?.data(bytes, last);
  }

  #run(server: ProtocolServer, head: RequestHead): void {
    this.#session = server.openHttp(this, head);
    if (this.#left) this.#session?.sent();
  }

  /** Takes note of a stream that is complete. */
  #settle(): void {
    if (!this.#open || this.#streamed?.isComplete !== true) return;
    this.#open = false;
    if (this.#isLast) this.#cutInTime();
    this.#sent();
  }

  #sent(): void {
    this.#left = true;
    this.#session?.sent();
  }

  /** Outside any native callback, in order. */
  #later(task: () => void): void {
    const { guard } = this.#settings;
    setImmediate(
      guard(
        () => {
          if (this.#open) task();
        },
        () => this.abort(),
      ),
    );
  }

  /** Unless the client reads on, or closes the connection, as it is to do when it has the whole response. */
  #cutInTime(): void {
    this.#cancelCut?.();
    const { clock, guard } = this.#settings;
    this.#cancelCut = clock.after(
      closeTimeout,
      guard(() => this.#response.close()),
    );
  }

  #aborted(): void {
    this.#cancelCut?.();
    if (this.#left) return;
    this.#open = false;
    this.#left = true;
    this.#session?.aborted();
  }

  #drain(): void {
    if (!this.#open || this.#streamed === undefined) {
      // The native side takes the response for unfinished, and then drains when it is corked only.
      if (this.#cancelCut !== undefined) {
        this.#response.cork(() => {});
        this.#cutInTime();
      }
      return;
    }
    this.#streamed.drain();
    this.#settle();
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
