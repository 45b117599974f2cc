import { createHash, randomBytes } from "node:crypto";
import { site } from "../servers/site.js";
import { type Answer, HeadAnswer, type ResponseHead } from "./answer.js";

export interface Handshake {
  readonly request: Buffer;
  /** A new one for each use. `onRest` is given what came behind the head. */
  answer(onRest: (rest: Buffer) => void): Answer;
}

export interface HandshakeOptions {
  readonly target: string;
  readonly origin?: string;
}

/** RFC 6455 1.3. */
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A handshake with a key of its own, and the 101 it should be answered with. */
export function handshake(options: HandshakeOptions): Handshake {
  const key = randomBytes(16).toString("base64");
  const accept = createHash("sha1")
    .update(key + guid)
    .digest("base64");
  return {
    request: requestWith(key, options),
    answer: (onRest) =>
      new HeadAnswer("a 101 in answer to a handshake", (head) => {
        checkUpgrade(head, accept);
        onRest(Buffer.from(head.rest, "latin1"));
      }),
  };
}

/** What a server refuses, and the answer by which it does so. */
export interface RefusedHandshake {
  readonly request: Buffer;
  answer(): Answer;
}

/** A handshake that should be answered with `status`; `why` says what is wrong with it. */
export function refusedHandshake(options: HandshakeOptions, status: number, why: string): RefusedHandshake {
  const name = `status ${status} in answer to a handshake with ${why}`;
  return {
    request: requestWith(randomBytes(16).toString("base64"), options),
    answer: () =>
      new HeadAnswer(name, ({ statusLine }) => {
        if (statusLine.split(" ")[1] !== String(status)) throw new Error(`expected ${name}, got "${statusLine}"`);
      }),
  };
}

/** Much like a browser's. */
function requestWith(key: string, { target, origin = `https://${site.allowedHost}` }: HandshakeOptions): Buffer {
  const lines = [
    `GET ${target} HTTP/1.1`,
    `Host: ${site.allowedHost}`,
    "Connection: Upgrade",
    "Pragma: no-cache",
    "Cache-Control: no-cache",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Upgrade: websocket",
    `Origin: ${origin}`,
    "Sec-WebSocket-Version: 13",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.5",
    `Sec-WebSocket-Key: ${key}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** RFC 6455 4.1: what a client must check. */
function checkUpgrade({ statusLine, headers }: ResponseHead, accept: string): void {
  if (!statusLine.startsWith("HTTP/1.1 101 ")) {
    throw new Error(`expected status 101 in answer to a handshake, got ${JSON.stringify(statusLine)}`);
  }
  expect("Upgrade:", "websocket", headers.get("upgrade")?.toLowerCase());
  expect("Connection:", "upgrade", headers.get("connection")?.toLowerCase());
  expect("Sec-WebSocket-Accept:", accept, headers.get("sec-websocket-accept"));
  expect("no Sec-WebSocket-Extensions, got", "", headers.get("sec-websocket-extensions") ?? "");
}

function expect(what: string, expected: string, got: string | undefined): void {
  if (got !== expected) throw new Error(`expected ${what} ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
}
