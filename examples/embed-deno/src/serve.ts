import {
  type App,
  asksForWebSocket,
  ConfigurationError,
  checkServeOptions,
  fetchHead,
  listenError,
  openFetch,
  ProtocolServer,
  type ServeOptions,
  type Server,
  serveWith,
  systemClock,
} from "@sluice/core";
import type { DenoRuntime, DenoServer } from "./native.js";
import { WebSocketConnection } from "./websocket.js";

declare const Deno: DenoRuntime;

/**
 * Serves `app` on Deno, in plain text and on a port: the example serves neither TLS nor Unix sockets, and Deno does not
 * compress WebSockets. Resolves when the application's lifespan start-up is complete and the port is open; rejects as
 * `serveWith` does.
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
  const open = new Set<WebSocketConnection>();

  const listen = (): DenoServer =>
    Deno.serve(
      {
        hostname: host,
        port,
        reusePort: sharedPort,
        // Instead of a line on the console.
        onListen: () => {},
        onError: (err) => {
          options.logger.error({ err }, "the transport failed");
          return new Response("Internal Server Error\n", { status: 500 });
        },
      },
      (request, { remoteAddr }) => {
        const client = { host: remoteAddr.hostname, port: remoteAddr.port };
        const head = fetchHead(request, { client, server: { host, port: deno?.addr.port ?? port } });
        if (!asksForWebSocket(head)) return openFetch(server, request, head, settings);
        return new Promise((resolve) => {
          new WebSocketConnection(request, resolve, settings, open).open(server, head);
        });
      },
    );

  let deno: DenoServer | undefined;
  return serveWith(server, {
    secure: false,
    async listen() {
      try {
        deno = listen();
        return { host, port: deno.addr.port };
      } catch (cause) {
        throw listenError(`${host}:${port}`, (cause as { readonly code?: string }).code, cause);
      }
    },
    // Deno closes every WebSocket with 1001 when it stops. While there are any, core refuses what still comes.
    stopListening: () => void (open.size === 0 && deno?.shutdown()),
    // Cuts what is idle, and leaves close frames and answers a while to go out; for the rest Deno has no way.
    async cut() {
      for (let looks = 20; open.size > 0 && looks > 0; looks -= 1) await wait(5);
      await Promise.race([deno?.shutdown(), wait(100)]);
    },
  });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
