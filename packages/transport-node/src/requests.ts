import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ProtocolServer } from "@sluice/core";
import { endSoon } from "./end-of-socket.js";
import { HttpConnection } from "./http.js";
import { type Endpoint, readHead } from "./request-head.js";
import { plainResponse } from "./response.js";
import { WebSocketConnection, type WebSocketSettings } from "./websocket.js";

/** Hands every request of `httpServer` to core. */
export function serveRequests(
  httpServer: Server,
  server: ProtocolServer,
  endpoint: Endpoint,
  settings: WebSocketSettings,
): void {
  const { guard } = settings;
  /** The requests of a connection that are not answered completely. */
  const unanswered = new WeakMap<Socket, Set<HttpConnection>>();

  const open = (request: IncomingMessage, response: ServerResponse): HttpConnection => {
    const connection = new HttpConnection(request, response, settings);
    const { socket } = request;
    unanswered.get(socket)?.add(connection);
    response.once(
      "close",
      guard(() => {
        unanswered.get(socket)?.delete(connection);
        connection.closed();
      }),
    );
    connection.open(server, readHead(request, endpoint));
    return connection;
  };
  const cut = (request: IncomingMessage): void => void request.socket.destroy();

  httpServer.on(
    endpoint.secure ? "secureConnection" : "connection",
    guard((socket: Socket) => {
      const connections = new Set<HttpConnection>();
      unanswered.set(socket, connections);
      // Node.js tells the response at the front of the queue only.
      socket.once(
        "close",
        guard(() => {
          for (const connection of connections) connection.closed();
        }),
      );
    }),
  );
  httpServer.on(
    "request",
    guard((request: IncomingMessage, response: ServerResponse) => void open(request, response), cut),
  );
  httpServer.on(
    "checkContinue",
    guard((request: IncomingMessage, response: ServerResponse) => open(request, response).askForBody(), cut),
  );
  httpServer.on(
    "upgrade",
    guard(
      (request: IncomingMessage, socket: Socket, early: Buffer) => {
        // A 101 would overtake what is still to be answered.
        if ((unanswered.get(socket)?.size ?? 0) > 0) socket.destroy();
        else new WebSocketConnection(request, socket, early, settings).open(server, readHead(request, endpoint));
      },
      (_request, socket) => void socket.destroy(),
    ),
  );
  httpServer.on(
    "connect",
    guard((_request: IncomingMessage, socket: Socket) => {
      socket.on("error", () => {});
      endSoon(socket, plainResponse(501, "Not Implemented"));
    }),
  );
  httpServer.on(
    "clientError",
    guard((error: NodeJS.ErrnoException, socket: Socket) => {
      // Answered before: this is what the client sent after it.
      if (socket.writableEnded) return;
      const waiting = [...(unanswered.get(socket) ?? [])];
      const answer = refusalOf(error);
      if (answer === undefined || waiting.length > 1 || waiting.some(({ hasBegun }) => hasBegun)) {
        socket.destroy();
        return;
      }
      for (const connection of waiting) connection.closed();
      endSoon(socket, answer);
    }),
  );
}

/** What a client is told whose request cannot be read. Undefined if there is nobody to tell. */
function refusalOf({ code = "" }: NodeJS.ErrnoException): Buffer | undefined {
  if (code === "HPE_HEADER_OVERFLOW") return plainResponse(431, "Request Header Fields Too Large");
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return plainResponse(413, "Content Too Large");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return plainResponse(408, "Request Timeout");
  return code.startsWith("HPE_") ? plainResponse(400, "Bad Request") : undefined;
}
