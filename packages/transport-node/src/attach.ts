import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  type App,
  asksForWebSocket,
  type CloseOptions,
  ConfigurationError,
  checkCloseOptions,
  checkServeOptions,
  createGuard,
  ProtocolServer,
  type ProtocolServerOptions,
  type RequestHead,
  type Server,
  systemClock,
  type TransportSettings,
} from "@sluice/core";
import { cutAll, endSoon } from "./end-of-socket.js";
import { Heartbeat } from "./heartbeat.js";
import { OpenResponses } from "./open-responses.js";
import { checkMessageSize } from "./options.js";
import { type Endpoint, readHead } from "./request-head.js";
import { plainResponse } from "./response.js";
import { Upgrader } from "./upgrader.js";
import { WebSocketConnection, type WebSocketSettings } from "./websocket.js";

/** A server whose requests are answered by somebody else. */
export type HostServer = HttpServer | HttpsServer;

export type AttachOptions = ProtocolServerOptions &
  Pick<TransportSettings, "maxBackpressure" | "idleTimeout" | "compression"> & {
    /** Takes the WebSockets at this path and below it, such as `"/ws/"`. All of them if left out. */
    readonly path?: string;
    /** False for an application without a lifespan of its own: it is called for WebSockets only. */
    readonly lifespan?: boolean;
  };

/** An application that is served beside somebody else's requests. */
export interface AttachedApplication extends Pick<Server, "connections" | "counts"> {
  /**
   * Takes no more WebSockets, ends those that are open, waits for the applications to return, runs the lifespan shutdown
   * and cuts what is still connected. Call it before the server's own `close`, which waits for its connections. Once:
   * later calls get the promise of the first. Rejects with `ConfigurationError` for an option out of range, which does
   * not count, and with what the shutdown rejects with.
   */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Serves the WebSockets of an existing `node:http` or `node:https` server, such as that of Express or Fastify, and leaves
 * its requests alone. Resolves when the application's lifespan start-up is complete.
 *
 * What is not under `path` is for others who listen for upgrades; where there is nobody else, it is answered with 404. As
 * with any listener for upgrades, the server hands over every request with an Upgrade header: one that does not ask for
 * a WebSocket is answered with 400, unless others listen. The size of the headers is bounded by the server's own
 * `maxHeaderSize`, and their count by its `maxHeadersCount`, too. One that comes before the response to a request on the
 * same connection ends the connection, unless others are to answer it.
 *
 * Throws `ConfigurationError` for an option out of range; rejects with what start-up rejects with.
 *
 * @example
 * const app = express();
 * const httpServer = app.listen(8000);
 * const attached = await attach(httpServer, application, { path: "/ws/", logger });
 * process.once("SIGTERM", () => void attached.close().finally(() => httpServer.close()));
 */
export function attach(
  httpServer: HostServer,
  app: App<"websocket" | "lifespan">,
  options: AttachOptions,
): Promise<AttachedApplication>;
/**
 * Serves the WebSockets of an application that knows of nothing else, such as a `URLRouter`.
 *
 * @example
 * await attach(httpServer, URLRouter([path("ws/", chat)]), { lifespan: false, logger });
 */
export function attach(
  httpServer: HostServer,
  app: App<"websocket">,
  options: AttachOptions & { readonly lifespan: false },
): Promise<AttachedApplication>;
export async function attach(
  httpServer: HostServer,
  app: App<"websocket">,
  options: AttachOptions,
): Promise<AttachedApplication> {
  const attachment = new Attachment(httpServer, app, options);
  await attachment.start();
  return attachment;
}

/** The attachments of each server, which one listener asks in turn. */
const attachments = new WeakMap<HostServer, Attachment[]>();

const responses = new OpenResponses();

function handOver(this: HostServer, request: IncomingMessage, socket: Socket, early: Buffer): void {
  const head = readHead(request, endpointOf(socket));
  const isWebSocket = asksForWebSocket(head);
  const attachment = isWebSocket && attachments.get(this)?.find((candidate) => candidate.serves(head));
  if (!attachment && this.listenerCount("upgrade") > 1) return;
  // Whatever is answered now would overtake what the host has still to answer.
  if (responses.on(socket)) {
    socket.destroy();
  } else if (attachment) {
    attachment.open(request, socket, early, head);
  } else {
    socket.on("error", () => {});
    endSoon(socket, isWebSocket ? plainResponse(404, "Not Found") : plainResponse(400, "Expected Upgrade: websocket"));
  }
}

function endpointOf(socket: Socket): Endpoint {
  const { localAddress, localPort } = socket;
  return {
    secure: socket instanceof TLSSocket,
    server: localAddress === undefined ? undefined : { host: localAddress, port: localPort },
  };
}

class Attachment implements AttachedApplication {
  readonly #httpServer: HostServer;
  readonly #server: ProtocolServer;
  readonly #settings: WebSocketSettings;
  readonly #path: string;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined;

  constructor(httpServer: HostServer, app: App<"websocket">, options: AttachOptions) {
    const { path = "/", lifespan = true, limits, logger, clock = systemClock } = options;
    if (!path.startsWith("/")) {
      throw new ConfigurationError(`expected path to begin with a slash, got ${JSON.stringify(path)}`);
    }
    checkMessageSize(limits);
    const { maxBackpressure, idleTimeout, compression } = checkServeOptions({ ...options, port: 0 });
    this.#httpServer = httpServer;
    this.#path = path;
    // It is called for WebSockets only, and for the lifespan if it has one.
    const inner = app as App;
    const withoutLifespan: App = (scope, receive, send) =>
      scope.type === "lifespan" ? undefined : inner(scope, receive, send);
    this.#server = new ProtocolServer(lifespan ? inner : withoutLifespan, options);
    this.#settings = {
      maxBackpressure,
      clock,
      guard: createGuard(logger),
      heartbeat: new Heartbeat(clock, idleTimeout),
      upgrader: new Upgrader(this.#server.limits, compression),
    };
  }

  get connections(): Server["connections"] {
    return this.#server.connections;
  }

  get counts(): Server["counts"] {
    return this.#server.counts;
  }

  async start(): Promise<void> {
    await this.#server.startup();
    const others = attachments.get(this.#httpServer);
    if (others !== undefined && others.length > 0) {
      others.push(this);
      return;
    }
    attachments.set(this.#httpServer, [this]);
    this.#httpServer.on("upgrade", handOver);
    responses.watch(this.#httpServer);
  }

  /** True for a path that this application takes. */
  serves({ rawPath }: RequestHead): boolean {
    return rawPath === this.#path || rawPath.startsWith(this.#path.endsWith("/") ? this.#path : `${this.#path}/`);
  }

  open(request: IncomingMessage, socket: Socket, early: Buffer, head: RequestHead): void {
    const open = this.#settings.guard(
      () => {
        this.#sockets.add(socket);
        socket.once("close", () => this.#sockets.delete(socket));
        new WebSocketConnection(request, socket, early, this.#settings).open(this.#server, head);
      },
      () => void socket.destroy(),
    );
    open();
  }

  close(options?: CloseOptions): Promise<void> {
    try {
      const checked = checkCloseOptions(options);
      this.#closed ??= this.#close(checked);
      return this.#closed;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #close(options: CloseOptions): Promise<void> {
    const others = attachments.get(this.#httpServer) ?? [];
    others.splice(others.indexOf(this), 1);
    if (others.length === 0) {
      this.#httpServer.off("upgrade", handOver);
      responses.leave(this.#httpServer);
    }
    try {
      await this.#server.shutdown(options);
    } finally {
      await cutAll(this.#sockets);
    }
  }
}
