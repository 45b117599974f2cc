import type { ClientRequest, IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import type { HeaderList } from "@sluice/core";
import { WebSocket } from "ws";
import type { ApplicationWatch } from "../application-watch.js";
import { type ConversationOptions, type OtherSide, WebsocketConversation } from "../websocket-conversation.js";
import { within } from "../within.js";

export interface LiveWebSocketOptions extends ConversationOptions {
  /** Offers per-message-deflate. */
  readonly compression?: boolean;
}

/** What a live client knows of its server. */
export interface LiveOtherSide extends Pick<OtherSide, "logger" | "failures"> {
  /** The run of the application for a handshake with this key. */
  expect(key: string): ApplicationWatch;
}

/** Milliseconds that a closing handshake may take before the connection is cut. */
const closingTime = 1_000;

/** A WebSocket client on a real socket, with the verbs of `WebsocketCommunicator`. */
export class LiveWebSocket extends WebsocketConversation {
  readonly #url: string;
  readonly #options: LiveWebSocketOptions;
  readonly #expectRun: (key: string) => void;
  #socket: WebSocket | undefined;
  #closed: Promise<void> = Promise.resolve();

  constructor(url: string, other: LiveOtherSide, options: LiveWebSocketOptions) {
    let watch: ApplicationWatch | undefined;
    super({ ...other, alone: false, watch: () => watch }, options);
    this.#url = url;
    this.#options = options;
    this.#expectRun = (key) => {
      watch = other.expect(key);
    };
  }

  protected override open(): void {
    const { subprotocols = [], headers = [], compression = false } = this.#options;
    const socket = new WebSocket(this.#url, [...subprotocols], {
      perMessageDeflate: compression,
      // It is the test's own server, with a certificate of the test's own.
      rejectUnauthorized: false,
      finishRequest: (request) => {
        for (const [name, values] of byName(headers)) request.setHeader(name, values);
        this.#expectRun(String(request.getHeader("sec-websocket-key")));
        request.end();
      },
    });
    this.#socket = socket;
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
    this.#listen(socket);
  }

  protected override write(data: string | Uint8Array): void {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.CONNECTING) throw this.tooEarly();
    if (socket?.readyState !== WebSocket.OPEN) throw this.tooLate();
    socket.send(data);
  }

  protected override async leave(code: number, reason: string): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    if (socket.readyState === WebSocket.OPEN && code !== 1006) socket.close(code, reason);
    else if (socket.readyState !== WebSocket.CLOSING) socket.terminate();
    this.outbox.end("the test has left");
    if (await within(closingTime, this.#closed)) return;
    socket.terminate();
    await this.#closed;
  }

  #listen(socket: WebSocket): void {
    let answer: HeaderList = [];
    let opened = false;
    socket.on("upgrade", (response) => {
      answer = headersOf(response);
    });
    socket.on("open", () => {
      opened = true;
      const subprotocol = socket.protocol === "" ? undefined : socket.protocol;
      this.outbox.put({ type: "handshake", handshake: { connected: true, subprotocol, headers: answer } });
    });
    socket.on("unexpected-response", (_request: ClientRequest, response: IncomingMessage) => {
      void this.#refused(socket, response);
    });
    socket.on("message", (data: Buffer, isBinary) =>
      this.outbox.put({ type: "message", data: isBinary ? new Uint8Array(data) : data.toString() }),
    );
    // What it says counts if nothing has been answered; "close" comes after it in any case.
    socket.on("error", (error) => this.outbox.end(`the connection failed: ${error.message}`, error));
    socket.on("close", (code, reason) => {
      if (opened) this.outbox.put({ type: "close", frame: { code, reason: reason.toString() } });
      this.outbox.end(`the connection has ended with close ${code} "${reason.toString()}"`);
    });
  }

  async #refused(socket: WebSocket, response: IncomingMessage): Promise<void> {
    const status = response.statusCode ?? 0;
    const body = await buffer(response).catch(() => Buffer.alloc(0));
    const handshake = { connected: false, status, headers: headersOf(response), body: body.toString() } as const;
    this.outbox.put({ type: "handshake", handshake });
    this.outbox.end(`the handshake was refused with status ${status}`);
    socket.terminate();
  }
}

function byName(headers: HeaderList): Map<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    grouped.set(key, [...(grouped.get(key) ?? []), value]);
  }
  return grouped;
}

/** The handshake's own, which a communicator does not show either. */
const ownHeaders = new Set(["upgrade", "connection"]);

/** The headers of an answer, in the order of the wire. */
function headersOf({ rawHeaders }: IncomingMessage): HeaderList {
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    const own = ownHeaders.has(name) || name.startsWith("sec-websocket-");
    if (!own) headers.push([name, rawHeaders[index + 1] ?? ""]);
  }
  return headers;
}
