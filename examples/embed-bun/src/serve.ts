import {
  type App,
  asksForWebSocket,
  ConfigurationError,
  checkServeOptions,
  fetchHead,
  listenError,
  openFetch,
  ProtocolServer,
  payloadLimit,
  type ServeOptions,
  type Server,
  serveWith,
  systemClock,
} from "@sluice/core";
import type { BunRuntime, BunServer } from "./native.js";
import { WebSocketConnection } from "./websocket.js";

declare const Bun: BunRuntime;

/**
 * Serves `app` on Bun, in plain text and on a port: the example serves neither TLS nor Unix sockets. Resolves when the
 * application's lifespan start-up is complete and the port is open; rejects as `serveWith` does.
 */
export async function serve(app: App, options: ServeOptions): Promise<Server> {
  const { address, sharedPort, ...transport } = checkServeOptions(options);
  const settings = { ...transport, clock: options.clock ?? systemClock };
  if ("unix" in address || options.tls !== undefined) {
    throw new ConfigurationError(
      "expected a port without TLS, got a Unix socket or TLS; extend this example for those",
    );
  }
  const { host, port } = address;
  const server = new ProtocolServer(app, options);

  const listen = (): BunServer<WebSocketConnection> =>
    Bun.serve<WebSocketConnection>({
      hostname: host,
      port,
      reusePort: sharedPort,
      development: false,
      // Core has a limit of its own for both.
      idleTimeout: 0,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: (request, self) => {
        const ip = self.requestIP(request);
        const client = ip === null ? undefined : { host: ip.address, port: ip.port };
        const head = fetchHead(request, { client, server: { host, port: self.port } });
        if (!asksForWebSocket(head)) return openFetch(server, request, head, settings);
        return new Promise((resolve) => {
          new WebSocketConnection(self, request, resolve, settings).open(server, head);
        });
      },
      error: (err) => {
        options.logger.error({ err }, "the transport failed");
        return new Response("Internal Server Error\n", { status: 500 });
      },
      websocket: {
        binaryType: "uint8array",
        maxPayloadLength: payloadLimit(server.limits),
        // 0 is none: the connection keeps the limit itself.
        backpressureLimit: 0,
        idleTimeout: settings.idleTimeout,
        sendPings: settings.idleTimeout > 0,
        perMessageDeflate: settings.compression,
        open: (socket) => socket.data.opened(socket),
        message: (socket, data) => socket.data.message(data),
        drain: (socket) => socket.data.drained(),
        close: (socket, code, reason) => socket.data.closed(code, reason),
      },
    });

  let bun: BunServer<WebSocketConnection> | undefined;
  return serveWith(server, {
    secure: false,
    async listen() {
      try {
        bun = listen();
        return { host, port: bun.port };
      } catch (cause) {
        throw listenError(`${host}:${port}`, (cause as { readonly code?: string }).code, cause);
      }
    },
    stopListening: () => void bun?.stop(false),
    async cut() {
      // The last answers have been given, but Bun sends them in a turn of its own.
      await new Promise((resolve) => setTimeout(resolve, 0));
      await bun?.stop(true);
    },
  });
}
