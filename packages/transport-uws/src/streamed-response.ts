import type { WriteStatus } from "@sluice/core";
import type { NativeResponse } from "./native.js";
import { type ResponseHead, respondWithoutBody, writeHead } from "./response.js";

/** Small enough that one of them rarely outlasts the room which a writable socket has. */
const pieceSize = 64 * 1024;

/**
 * A response whose body comes in pieces: of the length that the application announced, else chunked. What the socket
 * does not take waits here, as the native side tells neither how much it holds nor when all of it is gone.
 *
 * The head goes out with the first byte of the body: the native side has no way to send it alone.
 */
export class StreamedResponse {
  readonly #response: NativeResponse;
  readonly #head: ResponseHead;
  readonly #maxBackpressure: number;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #given = 0;
  #headWritten = false;
  #behind = false;
  #ending = false;
  #complete = false;

  constructor(response: NativeResponse, head: ResponseHead, maxBackpressure: number) {
    this.#response = response;
    this.#head = head;
    this.#maxBackpressure = maxBackpressure;
  }

  /** True while the client has not taken what was written. */
  get isBehind(): boolean {
    return this.#behind;
  }

  /** True when the socket has taken the whole response, which is ended and not to be touched any more. */
  get isComplete(): boolean {
    return this.#complete;
  }

  write(chunk: Uint8Array | string): WriteStatus {
    if (this.#head.isBodiless || this.#complete) return "ok";
    const isOwn = typeof chunk === "string";
    const bytes = this.#within(isOwn ? Buffer.from(chunk) : chunk);
    if (this.#behind) {
      if (this.#waitingBytes + bytes.byteLength > this.#maxBackpressure) return "dropped";
      this.#keep(bytes, isOwn);
      return "buffered";
    }
    this.#response.cork(() => this.#give(bytes, isOwn));
    return this.#behind ? "buffered" : "ok";
  }

  /** The socket has room again. */
  drain(): void {
    if (this.#complete) return;
    this.#behind = false;
    // Corking writes what the native side holds, even if there is nothing to add.
    this.#response.cork(() => {
      while (!this.#behind && !this.#complete) {
        const next = this.#waiting.shift();
        if (next === undefined) break;
        this.#waitingBytes -= next.byteLength;
        this.#give(next, true);
      }
      if (this.#ending && !this.#behind && !this.#complete) this.#finish();
    });
  }

  get isBodiless(): boolean {
    return this.#head.isBodiless;
  }

  /** True if less was written than announced: such a response cannot be ended, only cut. */
  get isShort(): boolean {
    return this.#given + this.#waitingBytes < this.#announced;
  }

  /** Completes it now, or as soon as the client has taken what waits. */
  end(): void {
    // What was announced is complete with its last byte.
    if (this.#complete || this.#ending || (this.#announced > 0 && !this.#isChunked)) return;
    if (this.#head.isBodiless) {
      this.#complete = true;
      respondWithoutBody(this.#response, this.#head, 0);
    } else if (this.#behind) this.#ending = true;
    else this.#response.cork(() => this.#finish());
  }

  #finish(): void {
    this.#complete = true;
    this.#writeHead();
    if (this.#head.isLast) this.#endByHand();
    else this.#response.end();
  }

  /**
   * The last chunk with a trailer section (RFC 9112 7.1.2), in which a line that the native side takes for a header's has
   * its place: for the native side the response goes on, and so it cuts what sends another request.
   */
  #endByHand(): void {
    this.#response.writeHeader("\r\n0\r\nx-complete", "1\r\n");
  }

  /** A length would make the native side end the response with the last byte. */
  get #isChunked(): boolean {
    return this.#head.contentLength === undefined || this.#head.isLast;
  }

  get #announced(): number {
    return this.#head.isBodiless ? 0 : (this.#head.contentLength ?? 0);
  }

  /** What lies within the length that was announced: more would be taken for the next response. */
  #within(bytes: Uint8Array): Uint8Array {
    const { contentLength } = this.#head;
    return contentLength === undefined
      ? bytes
      : bytes.subarray(0, Math.max(0, contentLength - this.#given - this.#waitingBytes));
  }

  /** Hands `bytes` on until the socket takes no more, and keeps the rest. */
  #give(bytes: Uint8Array, isOwn: boolean): void {
    this.#writeHead();
    const contentLength = this.#isChunked ? undefined : this.#head.contentLength;
    let taken = 0;
    while (taken < bytes.byteLength && !this.#behind) {
      // No small piece at the end: one that fits into the native side's own buffer is taken without asking the socket.
      const size = bytes.byteLength - taken < 2 * pieceSize ? 2 * pieceSize : pieceSize;
      const piece = bytes.subarray(taken, taken + size);
      taken += contentLength === undefined ? this.#giveChunk(piece) : this.#givePart(piece, contentLength);
    }
    this.#given += taken;
    this.#keep(bytes.subarray(taken), isOwn, true);
  }

  #giveChunk(piece: Uint8Array): number {
    this.#behind = !this.#response.write(piece);
    return piece.byteLength;
  }

  #givePart(piece: Uint8Array, contentLength: number): number {
    const before = this.#response.getWriteOffset();
    const [taken, complete] = this.#response.tryEnd(piece, contentLength);
    this.#complete = complete;
    this.#behind = !taken && !complete;
    return this.#behind ? this.#response.getWriteOffset() - before : piece.byteLength;
  }

  /** A copy, unless they are this response's own: the application may write to its bytes while they wait. */
  #keep(given: Uint8Array, isOwn: boolean, inFront = false): void {
    if (given.byteLength === 0) return;
    const bytes = isOwn ? given : new Uint8Array(given);
    this.#waitingBytes += bytes.byteLength;
    if (inFront) this.#waiting.unshift(bytes);
    else this.#waiting.push(bytes);
  }

  #writeHead(): void {
    if (this.#headWritten) return;
    this.#headWritten = true;
    writeHead(this.#response, this.#head);
    if (this.#head.closesConnection && !this.#head.isBodiless) this.#response.writeHeader("connection", "close");
  }
}
