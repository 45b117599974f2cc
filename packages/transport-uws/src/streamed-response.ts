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

  /** True when the native response has been ended and is not to be touched any more. */
  get isComplete(): boolean {
    return this.#complete;
  }

  write(chunk: Uint8Array | string): WriteStatus {
    if (this.#head.isBodiless || this.#complete) return "ok";
    const bytes = this.#within(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    if (this.#behind) {
      if (this.#waitingBytes + bytes.byteLength > this.#maxBackpressure) return "dropped";
      this.#keep(bytes);
      return "buffered";
    }
    this.#response.cork(() => this.#give(bytes));
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
        this.#give(next);
      }
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
    if (this.#complete || (this.#announced > 0 && !this.#isChunked)) return;
    this.#complete = true;
    if (this.#head.isBodiless) {
      respondWithoutBody(this.#response, this.#head, 0);
      return;
    }
    this.#response.cork(() => {
      this.#writeHead();
      // From here on the native side drains by itself.
      for (const piece of this.#waiting) this.#response.write(piece);
      if (this.#head.isLast) this.#endByHand();
      else this.#response.end();
    });
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
  #give(bytes: Uint8Array): void {
    this.#writeHead();
    const contentLength = this.#isChunked ? undefined : this.#head.contentLength;
    let taken = 0;
    while (taken < bytes.byteLength && !this.#behind) {
      const piece = bytes.subarray(taken, taken + pieceSize);
      taken += contentLength === undefined ? this.#giveChunk(piece) : this.#givePart(piece, contentLength);
    }
    this.#given += taken;
    this.#keep(bytes.subarray(taken), true);
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

  #keep(bytes: Uint8Array, inFront = false): void {
    if (bytes.byteLength === 0) return;
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
