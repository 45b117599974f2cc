import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type AcceptOptions, type Limits, payloadLimit } from "@sluice/core";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { headerLines } from "./response.js";

/** Milliseconds a client has to answer a close frame before the connection is cut. */
const closeTimeout = 10_000;

/** Pieces of a frame, as they come from the network, and frames of a message: each costs memory of its own. */
const maxPieces = 16 * 1024;

/** Without context takeover, so that compressing one message needs no memory of those before it. */
const perMessageDeflate = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  threshold: 1024,
  zlibDeflateOptions: { level: 3, memLevel: 7 },
};

/** Completes handshakes. */
export class Upgrader {
  readonly #server: WebSocketServer;
  #accepting: AcceptOptions | undefined;

  constructor(limits: Limits, compression: boolean) {
    const maxPayload = payloadLimit(limits);
    const options: ServerOptions & { closeTimeout: number; maxBufferedChunks: number } = {
      noServer: true,
      clientTracking: false,
      closeTimeout,
      maxPayload,
      maxFragments: maxPieces,
      // Large messages have to fit in pieces of a common size.
      maxBufferedChunks: Math.max(maxPieces, Math.ceil(maxPayload / 256)),
      perMessageDeflate: compression && perMessageDeflate,
      handleProtocols: () => this.#accepting?.subprotocol ?? false,
    };
    this.#server = new WebSocketServer(options);
    this.#server.on("headers", (lines) => lines.push(...headerLines(this.#accepting?.headers ?? [])));
  }

  /** Undefined if it cannot be completed: the client has gone, or asks for an extension in a way that cannot be read. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, options: AcceptOptions): WebSocket | undefined {
    let upgraded: WebSocket | undefined;
    this.#accepting = options;
    // Strings go out as UTF-8 otherwise, and header values are Latin-1.
    socket.setDefaultEncoding("latin1");
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      upgraded = webSocket;
    });
    socket.setDefaultEncoding("utf8");
    this.#accepting = undefined;
    return upgraded;
  }
}
