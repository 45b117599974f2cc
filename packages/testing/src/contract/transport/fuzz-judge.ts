/** Says whether what a server sent is what the protocols allow it to send to that client. */
import { createHash } from "node:crypto";
import type { FuzzCase } from "./fuzz-cases.js";
import {
  type ClientSide,
  closeCodeOf,
  isBadFrame,
  isClosePayload,
  isUtf8,
  rawFrameAt,
  readClientFrames,
} from "./fuzz-model.js";

export interface Verdict {
  /** What the server must not have done. */
  readonly fault?: string;
  /** What the server still owes. */
  readonly owes?: string;
  /** What the client got, for the account of a run. */
  readonly got: "nothing" | "answer" | "refusal" | "WebSocket";
  readonly echoes?: number;
  readonly closeCode?: number;
}

/** What a server owes to a client that breaks the rules, or closes. */
export const theEnd = "the end of the connection";

export interface Judgement {
  readonly lacks: Readonly<Partial<Record<string, string>>>;
  /** What the application answers every request with. */
  readonly body: string;
}

const statusLine = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e]*$/;
const headerLine = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

export function judge(fuzzCase: FuzzCase, received: Buffer, judgement: Judgement): Verdict {
  const sent = fuzzCase.bytes.toString("latin1");
  const heads = sent.split(/\r?\n\r?\n/).length - 1;
  let answers = 0;
  let refusals = 0;
  for (let at = 0; at < received.length; ) {
    const end = received.indexOf("\r\n\r\n", at);
    const [first = "", ...lines] = received.toString("latin1", at, end === -1 ? received.length : end).split("\r\n");
    if (end === -1) return { ...tally(answers, refusals), ...owed(fuzzCase, answers, refusals) };
    const got = tally(answers, refusals);
    const status = Number(statusLine.exec(first)?.[1]);
    if (Number.isNaN(status)) return { ...got, fault: `expected a status line, got ${JSON.stringify(first)}` };
    const bad = lines.find((line) => !headerLine.test(line));
    if (bad !== undefined) return { ...got, fault: `expected a header line, got ${JSON.stringify(bad)}` };
    const head = new Map(lines.map(split).map(([name, value]) => [name, value.trim()]));
    at = end + 4;
    if (status === 100 && /^expect:/im.test(sent)) continue;
    if (status === 101) return judgeWebSocket(fuzzCase, head, received.subarray(at), judgement);
    if (status !== 200 && status < 400) return { ...got, fault: `expected 101, 200 or a refusal, got ${status}` };
    const body = bodyAt(received, at, head, sent);
    if (status === 200) {
      answers++;
      if (body.complete && body.text !== "" && body.text !== judgement.body) {
        return { ...got, fault: `expected the application's body, got ${JSON.stringify(body.text)}` };
      }
    } else refusals++;
    if (answers > heads) return { ...got, fault: `expected at most ${heads} answers, got ${answers}` };
    if (answers + refusals > heads + 1) return { ...got, fault: `expected at most ${heads + 1} responses, got more` };
    at = body.end;
  }
  return { ...tally(answers, refusals), ...owed(fuzzCase, answers, refusals) };
}

function tally(answers: number, refusals: number): Verdict {
  return { got: answers > 0 ? "answer" : refusals > 0 ? "refusal" : "nothing" };
}

function owed({ deserves, waitsAfter }: FuzzCase, answers: number, refusals: number): Partial<Verdict> {
  if (deserves === undefined || answers > 0) {
    return deserves === 101 ? { fault: "expected 101 for a proper handshake, got 200" } : {};
  }
  // A server may mistake what comes before its 101 for another request.
  if (deserves === 101 && waitsAfter === undefined) return {};
  return refusals > 0 ? { fault: `expected ${deserves} for a proper request, got a refusal` } : { owes: `${deserves}` };
}

function split(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1)];
}

interface Body {
  readonly text: string;
  readonly end: number;
  readonly complete: boolean;
}

function bodyAt(received: Buffer, at: number, head: ReadonlyMap<string, string>, sent: string): Body {
  // A response to HEAD has no body whatever its head says, and one of the requests may have been a HEAD, or a HeAD where a
  // server folds methods.
  if (/HEAD /i.test(sent) && (at === received.length || received.toString("latin1", at, at + 9) === "HTTP/1.1 ")) {
    return { text: "", end: at, complete: true };
  }
  if (head.get("transfer-encoding") === "chunked") {
    const end = received.indexOf("0\r\n\r\n", at);
    const chunks = received.toString("latin1", at, end === -1 ? received.length : end);
    const text = chunks.replaceAll(/[0-9a-fA-F]+\r\n([\s\S]*?)\r\n/g, "$1");
    return { text, end: end === -1 ? received.length : end + 5, complete: end !== -1 };
  }
  const length = head.get("content-length");
  const end = length === undefined ? received.length : Math.min(at + Number(length), received.length);
  return {
    text: received.toString("latin1", at, end),
    end,
    complete: length === undefined || end === at + Number(length),
  };
}

/** The keys of the handshakes among the heads that a client sent: those that a server may answer with 101. */
function keysOf(sent: string, lacks: Judgement["lacks"]): string[] {
  const edges = lacks.readsLatin1 === undefined ? /^[\t ]+|[\t ]+$/g : /^[^!-~]+|[^!-~]+$/g;
  // Behind a body, a request does not begin with a line of its own.
  const requestLine = /^(?:content-length|transfer-encoding):/im.test(sent)
    ? /GET \/\S* HTTP\/(?:1\.[1-9]|[2-9]\.\d)$/
    : /^GET \/\S* HTTP\/(?:1\.[1-9]|[2-9]\.\d)$/;
  return sent.split(/\r?\n\r?\n/).flatMap((head) => {
    const [first = "", ...lines] = head.replace(/^[\r\n]+/, "").split(/\r?\n/);
    const nameless = lacks.refusesEmptyNames === undefined ? -1 : lines.findIndex((line) => line.startsWith(":"));
    const all = (nameless === -1 ? lines : lines.slice(0, nameless)).map(split);
    const values = (name: string): string[] =>
      all.filter(([key]) => key === name).map(([, value]) => value.replaceAll(edges, ""));
    const lists = (name: string, token: string): boolean =>
      values(name).some((value) => value.split(",").some((item) => item.trim().toLowerCase() === token));
    const [key = "", ...more] = values("sec-websocket-key");
    const proper =
      requestLine.test(first) &&
      lists("upgrade", "websocket") &&
      lists("connection", "upgrade") &&
      values("sec-websocket-version").join("|") === "13" &&
      /^[A-Za-z0-9+/]{22}==$/.test(key) &&
      more.length === 0;
    return proper ? [key] : [];
  });
}

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

function judgeWebSocket(
  { bytes, deserves, waitsAfter }: FuzzCase,
  head: ReadonlyMap<string, string>,
  received: Buffer,
  { lacks }: Judgement,
): Verdict {
  const sent = bytes.toString("latin1");
  const accepted = head.get("sec-websocket-accept");
  const key = keysOf(sent, lacks).find(
    (each) =>
      createHash("sha1")
        .update(each + guid)
        .digest("base64") === accepted,
  );
  if (key === undefined) return { got: "WebSocket", fault: "expected no 101 without a proper handshake" };
  if (head.has("sec-websocket-extensions")) return { got: "WebSocket", fault: "expected no extension" };
  const said = readServerFrames(received);
  const verdict: Verdict = {
    got: "WebSocket",
    echoes: said.messages.length,
    ...(said.closeCode !== undefined && { closeCode: said.closeCode }),
  };
  if (said.fault !== undefined) return { ...verdict, fault: said.fault };
  // It is not known which bytes a server takes for frames behind something else, and of those that came too early.
  if (deserves !== 101 || waitsAfter === undefined) return verdict;
  const client = readClientFrames(bytes.subarray(bytes.indexOf("\r\n\r\n") + 4));
  return { ...verdict, ...compare(client, said, client.check !== undefined && lacks[client.check] !== undefined) };
}

interface ServerSide extends Pick<ClientSide, "messages"> {
  readonly pongs: readonly Buffer[];
  /** 1005 for a close frame without one. */
  readonly closeCode: number | undefined;
  readonly fault: string | undefined;
}

function readServerFrames(bytes: Buffer): ServerSide {
  const messages: { readonly isText: boolean; readonly payload: Buffer }[] = [];
  const pongs: Buffer[] = [];
  let closeCode: number | undefined;
  const ended = (fault?: string): ServerSide => ({ messages, pongs, closeCode, fault });
  for (let at = 0; at < bytes.length; ) {
    if (closeCode !== undefined) return ended("expected nothing after a close frame");
    const frame = rawFrameAt(bytes, at);
    if (frame === undefined) return ended();
    if (frame.masked) return ended("expected an unmasked frame");
    if (isBadFrame(frame) || !frame.shortest) return ended(`expected a well-formed frame, got opcode ${frame.code}`);
    if (!frame.final || frame.code === 0) return ended("expected a message in one frame");
    if (frame.end > bytes.length) return ended();
    at = frame.end;
    const { code, payload } = frame;
    if (code === 8) {
      if (!isClosePayload(payload)) return ended(`expected a legal close frame, got ${payload.toString("hex")}`);
      closeCode = closeCodeOf(payload);
    } else if (code === 10) pongs.push(payload);
    else if (code < 8) {
      if (code === 1 && !isUtf8(payload)) return ended("expected UTF-8 in a text message");
      messages.push({ isText: code === 1, payload });
    }
  }
  return ended();
}

/** Codes that say what a server itself is or lacks: no client is the cause of one, unless it has said so first. */
const serversOwn = [1011, 1012, 1013, 1014];

/**
 * An application that echoes owes each message in order, and a server owes an end to what breaks the rules: unless it
 * has `unseen` that, and nobody knows what it took the rest for.
 */
function compare(client: ClientSide, server: ServerSide, unseen: boolean): Partial<Verdict> {
  for (const [index, { isText, payload }] of server.messages.entries()) {
    const wanted = client.messages[index];
    if (wanted === undefined && unseen) break;
    if (wanted === undefined) return { fault: `expected ${client.messages.length} echoes, got more` };
    if (wanted.isText !== isText || !wanted.payload.equals(payload)) {
      return { fault: `expected echo ${index} to be the client's message` };
    }
  }
  let ping = 0;
  for (const pong of unseen ? [] : server.pongs) {
    while (ping < client.pings.length && client.pings[ping]?.equals(pong) === false) ping++;
    if (ping++ >= client.pings.length) return { fault: "expected pongs to answer pings in order" };
  }
  const { closeCode } = server;
  if (closeCode !== undefined && serversOwn.includes(closeCode) && closeCode !== client.closeCode && !unseen) {
    return { fault: `expected a close for the client's sake, got ${closeCode}` };
  }
  if (client.state === "open") {
    if (closeCode !== undefined) return { fault: `expected the connection to stay open, got close ${closeCode}` };
    if (server.messages.length < client.messages.length) return { owes: `${client.messages.length} echoes` };
    // Several pings may be answered by the pong to the last of them (RFC 6455 5.5.3).
    const lastPing = client.pings.at(-1);
    return lastPing === undefined || server.pongs.at(-1)?.equals(lastPing) ? {} : { owes: "a pong to the last ping" };
  }
  const mustEnd = client.state !== "unsure" && !unseen;
  return mustEnd && closeCode === undefined ? { owes: theEnd } : {};
}
