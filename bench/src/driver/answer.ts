/** What a server has to say next, as a connection checks it piece by piece. */
export interface Answer {
  /** For errors: `"the echo of 64 messages"`. */
  readonly name: string;
  /** Takes what came. True once the answer is complete; throws for what should not have come. */
  take(chunk: Buffer): boolean;
  /** What of it has come so far, for errors. */
  soFar(): string;
}

/** Bytes that are known beforehand, in parts of one size. */
export class ExactAnswer implements Answer {
  readonly name: string;
  readonly #expected: Buffer;
  readonly #partSize: number;
  #received = 0;

  constructor(name: string, expected: Buffer, partSize: number = expected.length) {
    this.name = name;
    this.#expected = expected;
    this.#partSize = partSize;
  }

  take(chunk: Buffer): boolean {
    const end = this.#received + chunk.length;
    if (end > this.#expected.length) {
      throw new Error(`expected ${this.name} and nothing more, got ${end - this.#expected.length} bytes more`);
    }
    if (this.#expected.compare(chunk, 0, chunk.length, this.#received, end) !== 0) throw this.#different(chunk);
    this.#received = end;
    return end === this.#expected.length;
  }

  soFar(): string {
    return `${this.#received} of ${this.#expected.length} bytes`;
  }

  #different(chunk: Buffer): Error {
    const at = chunk.findIndex((byte, index) => byte !== this.#expected[this.#received + index]);
    const part = Math.floor((this.#received + at) / this.#partSize);
    const start = part * this.#partSize;
    const came = Buffer.concat([this.#expected.subarray(start, this.#received + at), chunk.subarray(at)]);
    return new Error(
      `expected ${this.name}, number ${part + 1} being ${quote(this.#expected.subarray(start, start + this.#partSize))}, ` +
        `got ${quote(came.subarray(0, this.#partSize))}`,
    );
  }
}

/** In bytes. A server that has not ended the head of its response by then will not. */
const longestHead = 16 * 1024;

/** The head of an HTTP response, which is taken apart when it is complete. */
export class HeadAnswer implements Answer {
  readonly name: string;
  readonly #check: (head: ResponseHead) => void;
  #text = "";

  /** `check` throws for a head that it did not expect. */
  constructor(name: string, check: (head: ResponseHead) => void) {
    this.name = name;
    this.#check = check;
  }

  take(chunk: Buffer): boolean {
    this.#text += chunk.toString("latin1");
    const end = this.#text.indexOf("\r\n\r\n");
    if (end === -1 && this.#text.length < longestHead) return false;
    this.#check(parseHead(this.#text, end));
    return true;
  }

  soFar(): string {
    return this.#text === "" ? "nothing" : quote(Buffer.from(this.#text, "latin1"));
  }
}

export interface ResponseHead {
  readonly statusLine: string;
  /** Names in lower case. Of a repeated header the last line. */
  readonly headers: ReadonlyMap<string, string>;
  /** What came after the head. */
  readonly rest: string;
}

function parseHead(text: string, end: number): ResponseHead {
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { statusLine, headers: new Map(headers), rest: end === -1 ? "" : text.slice(end + 4) };
}

function quote(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1", 0, 200));
}
