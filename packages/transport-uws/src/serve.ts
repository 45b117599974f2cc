import { type App, ConfigurationError, ProtocolServer } from "@sluice/core";
import type { ConnectionSettings } from "./connection-settings.js";
import { createGuard } from "./guard.js";
import { HttpConnection } from "./http.js";
import { listen } from "./listen.js";
import {
  type ListenSocket,
  loadNative,
  type NativeApp,
  type NativeModule,
  type NativeRequest,
  type NativeResponse,
  type UpgradeContext,
} from "./native.js";
import { checkOptions, maxPayloadLength, type ServeOptions, type TlsFiles } from "./options.js";
import { asksForWebSocket, type Endpoint, hasAmbiguousLength, readHead } from "./request-head.js";
import { respond, responseHead } from "./response.js";
import { type UserData, WebSocketConnection } from "./websocket.js";

/** A server that listens. */
export interface Server {
  readonly host: string;
  /** The one in use, also where the system has chosen it. */
  readonly port: number;
  /** `http:` or `https:`, without a trailing slash. */
  readonly url: string;
  /** How many connections have an application running or a client waiting. */
  readonly connections: { readonly http: number; readonly websocket: number };
  /**
   * Stops listening, ends every connection, waits for the applications to return, runs the lifespan shutdown and cuts
   * what is still connected. Once: later calls get the promise of the first. Rejects with what the shutdown rejects with.
   */
  close(options?: CloseOptions): Promise<void>;
}

export interface CloseOptions {
  /** Milliseconds that applications may take to return. 10,000 if left out. */
  readonly deadline?: number;
}

/**
 * Serves `app` on uWebSockets.js. Resolves when the application's lifespan start-up is complete and the port is open.
 *
 * Throws `ConfigurationError` for an option out of range and where there is no binary for this Node; rejects with what
 * start-up rejects with, and with an error of code `"EADDRINUSE"` if the port is taken.
 *
 * @example
 * const server = await serve(application, { port: 8000, logger });
 * process.once("SIGTERM", () => void server.close({ deadline: 5_000 }));
 */
export async function serve(app: App, options: ServeOptions): Promise<Server> {
  const { port, host, maxBackpressure, idleTimeout } = checkOptions(options);
  const module = await loadNative(options.uws);
  const native = createApp(module, options.tls);
  const server = new ProtocolServer(app, options);
  const guard = createGuard(options.logger);
  const endpoint: Endpoint = { secure: options.tls !== undefined, server: { host, port } };
  route(native, server, endpoint, { maxBackpressure, guard }, idleTimeout);
  await server.startup();
  try {
    const socket = await listen(native, host, port);
    endpoint.server = { host, port: module.us_socket_local_port(socket) };
    return new ListeningServer(module, native, server, socket, endpoint);
  } catch (error) {
    await server.shutdown(0).catch((err: unknown) => options.logger.error({ err }, "the lifespan shutdown failed"));
    throw error;
  }
}

function createApp(module: NativeModule, tls: TlsFiles | undefined): NativeApp {
  if (tls === undefined) return module.App();
  try {
    return module.SSLApp({ key_file_name: tls.key, cert_file_name: tls.cert });
  } catch (cause) {
    throw new ConfigurationError(`expected PEM files that match at ${tls.key} (key) and ${tls.cert} (cert)`, { cause });
  }
}

/** Hands every request to core, as the native side's own routes know one way only. */
function route(
  native: NativeApp,
  server: ProtocolServer,
  endpoint: Endpoint,
  settings: ConnectionSettings,
  idleTimeout: number,
): void {
  const { guard } = settings;
  const open = guard(
    (response: NativeResponse, request: NativeRequest, context?: UpgradeContext): void => {
      const head = readHead(response, request, endpoint);
      if (hasAmbiguousLength(head.headers)) {
        const refusal = responseHead(head.method, 400, [["connection", "close"]]);
        respond(response, refusal, "Expected one Content-Length\n");
      } else if (asksForWebSocket(head)) {
        const upgrade = context && { key: request.getHeader("sec-websocket-key"), context };
        new WebSocketConnection(response, upgrade, settings).open(server, head);
      } else {
        new HttpConnection(response, head.method, settings).open(server, head);
      }
    },
    (response) => response.close(),
  );
  native.any("/*", (response, request) => open(response, request));
  native.ws<UserData>("/*", {
    maxPayloadLength: maxPayloadLength(server.limits),
    // 0 is none: the connection keeps the limit itself.
    maxBackpressure: 0,
    idleTimeout,
    sendPingsAutomatically: idleTimeout > 0,
    upgrade: open,
    open: guard((socket) => socket.getUserData().connection.opened(socket)),
    message: guard((socket, message, isBinary) => socket.getUserData().connection.message(message, isBinary)),
    drain: guard((socket) => socket.getUserData().connection.drained()),
    close: guard((socket, code, reason) => socket.getUserData().connection.closed(code, reason)),
  });
}

class ListeningServer implements Server {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly #module: NativeModule;
  readonly #native: NativeApp;
  readonly #server: ProtocolServer;
  readonly #socket: ListenSocket;
  #closed: Promise<void> | undefined;

  constructor(
    module: NativeModule,
    native: NativeApp,
    server: ProtocolServer,
    socket: ListenSocket,
    { secure, server: { host, port } }: Endpoint,
  ) {
    this.host = host;
    this.port = port;
    this.url = `${secure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
    this.#module = module;
    this.#native = native;
    this.#server = server;
    this.#socket = socket;
  }

  get connections(): Server["connections"] {
    return this.#server.connections;
  }

  close({ deadline = 10_000 }: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#close(deadline);
    return this.#closed;
  }

  async #close(deadline: number): Promise<void> {
    this.#module.us_listen_socket_close(this.#socket);
    try {
      await this.#server.shutdown(deadline);
    } finally {
      // In a turn of its own: what has got here may be running inside a native callback.
      await new Promise((resolve) => setImmediate(resolve));
      this.#native.close();
    }
  }
}
