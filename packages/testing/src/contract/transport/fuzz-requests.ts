/** What a client may say first: requests and handshakes, and what can be wrong with them. */
import { latePath } from "./fuzz-application.js";
import type { FuzzRandom } from "./fuzz-random.js";

/** A head in the making. Strings stand for bytes, as Latin-1. */
interface Head {
  method: string;
  target: string;
  version: string;
  readonly lines: string[];
}

const ordinaryMethods = ["GET", "HEAD", "DELETE", "OPTIONS"];
const targets = ["/", latePath, "/refuse", "/stream", "/a%20b?c=%ff&d", `/${"x".repeat(200)}`];

export function handshakeHead(random: FuzzRandom): Head {
  const key = random.bytes(16).toString("base64");
  const lines = [
    "Host: test.example",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
  ];
  if (random.chance(20)) lines.push("Origin: https://test.example");
  if (random.chance(20)) lines.push("Sec-WebSocket-Protocol: chat, access_token");
  if (random.chance(20)) lines.push("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits");
  return { method: "GET", target: random.pick(targets), version: "HTTP/1.1", lines };
}

export function requestHead(random: FuzzRandom, method: string = random.pick(ordinaryMethods)): Head {
  return { method, target: random.pick(targets), version: "HTTP/1.1", lines: ["Host: test.example", "Accept: */*"] };
}

export function encodeHead({ method, target, version, lines }: Head): Buffer {
  return Buffer.from([`${method} ${target} ${version}`, ...lines, "", ""].join("\r\n"), "latin1");
}

function lineAt(head: Head, random: FuzzRandom): number {
  return random.int(0, head.lines.length - 1);
}

/** Replaces one line by what `change` makes of it. */
function withLine(change: (line: string, random: FuzzRandom) => string | readonly string[]) {
  return (head: Head, random: FuzzRandom): void => {
    if (head.lines.length === 0) return;
    const at = lineAt(head, random);
    head.lines.splice(at, 1, ...[change(head.lines[at] as string, random)].flat());
  };
}

/** Gives the line that begins with `name` another value, or adds it. */
function setLine(name: string, values: readonly string[] | ((random: FuzzRandom) => string)) {
  return (head: Head, random: FuzzRandom): void => {
    const value = typeof values === "function" ? values(random) : random.pick(values);
    const at = head.lines.findIndex((line) => line.startsWith(`${name}:`));
    head.lines.splice(at === -1 ? head.lines.length : at, 1, `${name}: ${value}`);
  };
}

const methods = [
  "",
  "get",
  "HEAD",
  "POST",
  "CONNECT",
  "TRACE",
  "PRI",
  "G\u0000ET",
  "GET GET",
  "X".repeat(300),
  "\u00ff",
];
const versions = ["", "HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/11", "FTP/1.1"];
const badTargets = [
  "",
  "*",
  "//",
  "x",
  "http://test.example/",
  "/\u00e9",
  "/%",
  "/%ff",
  "/ /",
  "/#a",
  "/\u0000",
  "/?\u007f",
];
const badKeys = [
  "",
  "x",
  "AAAAAAAAAAAAAAAAAAAAAA",
  "AAAAAAAAAAAAAAAAAAAAAA=",
  "AAAAAAAAAAAAAAAAAAAAA===",
  "\u00ff",
  "%%",
];
const badLengths = [
  "",
  "-1",
  "+1",
  "0x5",
  "1e3",
  "5, 5",
  "5,6",
  " 5",
  "99999999999999999999",
  "18446744073709551616",
  "5 5",
];
const codings = [
  "chunked",
  "gzip",
  "identity",
  "chunked, chunked",
  "gzip, chunked",
  "xchunked",
  "chunked;a=b",
  "\u000bchunked",
];

const mutations: Readonly<Record<string, (head: Head, random: FuzzRandom) => void>> = {
  "a line less": withLine(() => []),
  "a line twice": withLine((line) => [line, line]),
  "a name garbled": withLine((line, random) => random.latin1(3) + line),
  "a value garbled": withLine((line, random) => line + random.latin1(8)),
  "a value left out": withLine((line) => line.slice(0, line.indexOf(":") + 1)),
  "a space before the colon": withLine((line) => line.replace(":", " :")),
  "a line without a colon": withLine((line) => line.replace(":", "")),
  "a folded line": withLine((line) => line.replace(": ", ":\r\n ")),
  "a line break in a value": withLine((line, random) => line + random.pick(["\r", "\n", "\r\r\n", "\u0000", "\n\n"])),
  "an empty name": withLine((line) => [line, ": x"]),
  "another case": withLine((line, random) => (random.chance(50) ? line.toLowerCase() : line.toUpperCase())),
  "another method": (head, random) => {
    head.method = random.pick(methods);
  },
  "another version": (head, random) => {
    head.version = random.pick(versions);
  },
  "another target": (head, random) => {
    head.target = random.pick(badTargets);
  },
  "a long target": (head, random) => {
    head.target = `/${"y".repeat(random.pick([2_000, 5_000, 20_000]))}`;
  },
  "a long line": withLine((line, random) => [line, `X-Long: ${"z".repeat(random.pick([3_000, 9_000, 20_000]))}`]),
  "many lines": withLine((line, random) => [line, ...Array<string>(random.pick([90, 150, 1_000])).fill("X: y")]),
  "another key": setLine("Sec-WebSocket-Key", badKeys),
  "two keys": withLine((line) => [line, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]),
  "another WebSocket version": setLine("Sec-WebSocket-Version", [
    "",
    "0",
    "8",
    "12",
    "14",
    "13, 8",
    "1\u00b3",
    "013",
    "-13",
  ]),
  "another upgrade": setLine("Upgrade", ["", "h2c", "websocket, h2c", "WebSocket/13", "web socket", "h2c, websocket"]),
  "another connection": setLine("Connection", ["", "close", "keep-alive", "keep-alive, Upgrade", "upgrade,close"]),
  "other subprotocols": setLine("Sec-WebSocket-Protocol", [
    "",
    ",",
    "a,,b",
    "a, a",
    "a b",
    "\u00e9",
    "a\tb",
    "x".repeat(1_000),
  ]),
  "any subprotocol": setLine("Sec-WebSocket-Protocol", (random) => random.latin1(12)),
  "any cookie": setLine("Cookie", (random) => random.latin1(20)),
  "another host": setLine("Host", ["", "a b", "test.example:99999", "test.example, test.example", "\u00ff"]),
  "a length": setLine("Content-Length", badLengths),
  "another length": setLine("Content-Length", ["0", "1", "5", "1000000"]),
  "two lengths": (head) => void head.lines.push("Content-Length: 5", "Content-Length: 6"),
  "a coding": setLine("Transfer-Encoding", codings),
  "a length and a coding": (head) => void head.lines.push("Content-Length: 5", "Transfer-Encoding: chunked"),
  "an expectation": setLine("Expect", ["100-continue", "100-Continue, x", "200-ok"]),
};
const named = Object.entries(mutations);

/** Changes a head in one to three ways, and says in which. */
export function mutateHead(head: Head, random: FuzzRandom): string[] {
  return Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => {
    const [name, mutate] = random.pick(named);
    mutate(head, random);
    return name;
  });
}

const chunkings = [
  "5\r\nhello\r\n0\r\n\r\n",
  "5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
  "5;ext=1\r\nhello\r\n0\r\n\r\n",
  "5\nhello\n0\n\n",
  "5\r\nhelloX0\r\n\r\n",
  "-5\r\nhello\r\n0\r\n\r\n",
  "0x5\r\nhello\r\n0\r\n\r\n",
  "g\r\nhello\r\n0\r\n\r\n",
  "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
  "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
  " 5\r\nhello\r\n0\r\n\r\n",
  "\r\nhello\r\n0\r\n\r\n",
  "5\r\nhell\r\n0\r\n\r\n",
  "5\r\nhello\r\n",
  "0\r\n\r\nGET / HTTP/1.1\r\nHost: test.example\r\n\r\n",
];
const bodies = ["", "h", "hello", "hello!", "GET / HTTP/1.1\r\nHost: test.example\r\n\r\n"];

/** A request with a body that may not be what its head says. */
export function requestWithBody(random: FuzzRandom): Buffer {
  const head = requestHead(random, "POST");
  const chunked = random.chance(50);
  head.lines.push(chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${random.pick(["5", ...badLengths])}`);
  return Buffer.concat([encodeHead(head), Buffer.from(random.pick(chunked ? chunkings : bodies))]);
}
