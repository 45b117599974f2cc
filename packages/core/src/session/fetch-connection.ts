import type { HttpTransport, RequestHead, WriteStatus } from "../ports/transport.js";
import type { HeaderList } from "../scope.js";
import { fetchResponse } from "./fetch-response.js";
import type { HttpSession } from "./http-session.js";
import type { ProtocolServer } from "./protocol-server.js";

const encoder = new TextEncoder();
const empty = new Uint8Array(0);

/** Bytes that may wait in a streamed response before its application has to. */
const highWaterMark = 64 * 1024;

/**
 * Runs the application on a web `Request`: what a fetch handler does with one that is no WebSocket handshake. `Request`
 * and `Response` are the runtime's own: its request's signal has to abort when the client has gone.
 */
export function openFetch(
  server: ProtocolServer,
  request: Request,
  head: RequestHead,
  { maxBackpressure }: { readonly maxBackpressure: number },
): Promise<Response> {
  return new Promise((resolve) => {
    new FetchConnection(request, resolve, maxBackpressure, server.limits.maxBodySize).open(server, head);
  });
}

/** One request and its response, as the web platform has them. */
class FetchConnection implements HttpTransport {
  readonly #request: Request;
  readonly #answer: (response: Response) => void;
  readonly #maxBackpressure: number;
  #session: HttpSession | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  #over = false;
  /** The application has sent all of it, which is not to say that it has been read. */
  #ending = false;
  #left = false;
  /** Bytes of a request body that are still read when nobody wants them. */
  #rest: number;
  /** While it reads no further. */
  #resumed: Promise<void> | undefined;
  #resume: (() => void) | undefined;

  constructor(request: Request, answer: (response: Response) => void, maxBackpressure: number, maxRest: number) {
    this.#request = request;
    this.#answer = answer;
    this.#maxBackpressure = maxBackpressure;
    this.#rest = maxRest;
  }

  open(server: ProtocolServer, head: RequestHead): void {
    const { signal } = this.#request;
    // It tells nobody who comes later.
    if (signal.aborted) {
      this.#giveUp(400);
      return;
    }
    this.#session = server.openHttp(this, head);
    if (this.#left) this.#session?.sent();
    signal.addEventListener("abort", () => this.#aborted(), { once: true });
    void this.#read();
  }

  respond(status: number, headers: HeaderList, body: Uint8Array | string): void {
    if (endsConnection(headers)) this.#rest = 0;
    this.#finish();
    this.#answer(fetchResponse(this.#request.method, status, headers, body));
    this.#sent();
  }

  start(status: number, headers: HeaderList): void {
    if (endsConnection(headers)) this.#rest = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#stream = controller;
        },
        pull: () => (this.#ending ? this.#closeWhenRead() : this.#session?.drained()),
        cancel: () => this.#aborted(),
      },
      { highWaterMark, size: ({ byteLength }) => byteLength },
    );
    const response = fetchResponse(this.#request.method, status, headers, stream);
    if (response.body === null) this.#stream = undefined;
    this.#answer(response);
  }

  write(chunk: Uint8Array | string): WriteStatus {
    if (this.#over || this.#stream === undefined) return "ok";
    // A copy, as it waits for its reader, and the application may write to its own.
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : new Uint8Array(chunk);
    const waiting = highWaterMark - (this.#stream.desiredSize ?? 0);
    if (waiting > 0 && waiting + bytes.byteLength > this.#maxBackpressure) return "dropped";
    this.#stream.enqueue(bytes);
    return (this.#stream.desiredSize ?? 0) > 0 ? "ok" : "buffered";
  }

  end(): void {
    if (this.#finish()) return;
    this.#ending = true;
    this.#closeWhenRead();
  }

  abort(): void {
    // Where no response has begun, it was to begin and could not.
    this.#cut(500);
  }

  pause(): void {
    if (this.#over) return;
    this.#resumed ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#resume?.();
    this.#resumed = undefined;
  }

  /** The client has gone: nobody reads a response that is under way, or would hear that it was cut. */
  #aborted(): void {
    this.#giveUp(400);
    this.#session?.aborted();
  }

  #closeWhenRead(): void {
    if (this.#left || (this.#stream?.desiredSize ?? highWaterMark) < highWaterMark) return;
    this.#stream?.close();
    this.#sent();
  }

  #sent(): void {
    this.#left = true;
    this.#session?.sent();
  }

  #cut(status: number): void {
    if (!this.#over) this.#stream?.error(new Error("the response was cut"));
    this.#giveUp(status);
  }

  /** `status` is for whoever waits for a response that has not begun: most likely nobody, but the promise is kept. */
  #giveUp(status: number): void {
    this.#rest = 0;
    if (!this.#finish()) this.#answer(new Response(null, { status }));
  }

  /** What is left of the request body is read as far as it may go, and nobody gets it. True if it was over before. */
  #finish(): boolean {
    const before = this.#over;
    this.#over = true;
    this.resume();
    if (this.#rest === 0) this.#reader?.cancel().catch(() => {});
    return before;
  }

  async #read(): Promise<void> {
    const { body } = this.#request;
    try {
      this.#reader = body?.getReader();
      while (!this.#isEnough) {
        const piece = await this.#reader?.read();
        if (piece?.value === undefined) {
          this.#session?.data(empty, true);
          return;
        }
        if (this.#over) this.#rest -= piece.value.byteLength;
        else this.#session?.data(piece.value, false);
        await this.#resumed;
      }
      await this.#reader?.cancel();
    } catch {
      if (!this.#request.signal.aborted) this.#cut(400);
      this.#aborted();
    }
  }

  get #isEnough(): boolean {
    return this.#over && this.#rest <= 0;
  }
}

function endsConnection(headers: HeaderList): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === "connection" && closes.test(value));
}

const closes = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;
