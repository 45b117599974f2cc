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
    new FetchConnection(request, resolve, maxBackpressure).open(server, head);
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
  /** While it reads no further. */
  #resumed: Promise<void> | undefined;
  #resume: (() => void) | undefined;

  constructor(request: Request, answer: (response: Response) => void, maxBackpressure: number) {
    this.#request = request;
    this.#answer = answer;
    this.#maxBackpressure = maxBackpressure;
  }

  open(server: ProtocolServer, head: RequestHead): void {
    this.#session = server.openHttp(this, head);
    this.#request.signal.addEventListener("abort", () => this.#aborted());
    void this.#read();
  }

  respond(status: number, headers: HeaderList, body: Uint8Array | string): void {
    this.#finish();
    this.#answer(fetchResponse(this.#request.method, status, headers, body));
  }

  start(status: number, headers: HeaderList): void {
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#stream = controller;
        },
        pull: () => this.#session?.drained(),
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
    if (!this.#finish()) this.#stream?.close();
  }

  abort(): void {
    if (this.#finish()) return;
    this.#stream?.error(new Error("the response was cut"));
    this.#reader?.cancel().catch(() => {});
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

  #aborted(): void {
    this.#finish();
    this.#session?.aborted();
  }

  /** What is left of the request body is read to its end, and nobody gets it. True if it was over before. */
  #finish(): boolean {
    const before = this.#over;
    this.#over = true;
    this.resume();
    return before;
  }

  async #read(): Promise<void> {
    try {
      this.#reader = this.#request.body?.getReader();
      for (let piece = await this.#reader?.read(); piece?.value !== undefined; piece = await this.#reader?.read()) {
        this.#session?.data(piece.value, false);
        await this.#resumed;
      }
      this.#session?.data(empty, true);
    } catch {
      this.#aborted();
    }
  }
}
