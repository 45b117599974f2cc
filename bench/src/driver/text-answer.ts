import { firstFrame } from "../soak/frame-reader.js";
import type { Answer } from "./answer.js";
import { opcode } from "./frame.js";

/** One text message that is known only in part. */
export class TextAnswer implements Answer {
  readonly name: string;
  readonly #expected: string | RegExp;
  readonly #onRest: (rest: Buffer) => void;
  #bytes: Buffer = Buffer.alloc(0);

  /** `onRest` is given what came behind it. */
  constructor(expected: string | RegExp, onRest: (rest: Buffer) => void) {
    this.name = `the text ${typeof expected === "string" ? JSON.stringify(expected) : expected}`;
    this.#expected = expected;
    this.#onRest = onRest;
  }

  take(chunk: Buffer): boolean {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const frame = firstFrame(this.#bytes);
    if (frame === undefined) return false;
    const text = frame.payload.toString();
    const isRight = typeof this.#expected === "string" ? text === this.#expected : this.#expected.test(text);
    if (frame.opcode !== opcode.text || !isRight) {
      throw new Error(
        `expected ${this.name}, got ${JSON.stringify(text.slice(0, 200))} in a frame of opcode ${frame.opcode}`,
      );
    }
    this.#onRest(this.#bytes.subarray(frame.end));
    return true;
  }

  soFar(): string {
    return this.#bytes.length === 0 ? "" : `${this.#bytes.length} bytes`;
  }
}
