import {
  type App,
  asksForWebSocket,
  ConfigurationError,
  createGuard,
  header,
  ProtocolServer,
  payloadLimit,
  type RequestHead,
  type Server,
  serveWith,
  systemClock,
  type TlsFiles,
} from "@sluice/core";
import type { ConnectionSettings } from "./connection-settings.js";
import { HttpConnection } from "./http.js";
import { NativeListener } from "./listen.js";
import { loadNative, warnOfSmallHeads } from "./load-native.js";
import type { NativeApp, NativeModule, NativeRequest, NativeResponse, UpgradeContext } from "./native.js";
import { checkOptions, type ServeOptions } from "./options.js";
import { Outbox } from "./outbox.js";
import { type Endpoint, hasAmbiguousLength, readHead } from "./request-head.js";
import { respond, responseHead } from "./response.js";
import { type UserData, WebSocketConnection } from "./websocket.js";

/**
 * Serves `app` on uWebSockets.js. Resolves when the application's lifespan start-up is complete and the port is open.
 *
 * Throws `ConfigurationError` for an option out of range and where there is no binary for this Node; rejects with what
 * start-up rejects with, and with an error of code `"EADDRINUSE"` if the port is taken.
 *
 * With `trustedProxies`, a PROXY protocol v2 header ahead of a plain-text request tells the client's address, without its
 * port. The native parser takes one from everybody, and from everybody else it counts for nothing. It looks at the
 * address alone, so a proxy must send none with the command LOCAL, and knows at most 36 bytes of addresses and TLVs:
 * what has more is never answered, and cut after ten seconds. Since a client could send a header of its own
 * ahead of its next request, a connection with such a header ends after its first.
 *
 * @example
 * const server = await serve(application, { port: 8000, logger });
 * process.once("SIGTERM", () => void server.close({ deadline: 5_000 }));
 */
export async function serve(app: App, options: ServeOptions): Promise<Server> {
  const settings = checkOptions(options);
  // Before the module is imported, as that settles for the whole process how large a head may be.
  const server = new ProtocolServer(app, options);
  const module = await loadNative(options.uws, server.limits);
  warnOfSmallHeads(server);
  const native = createApp(module, options.tls);
  const listener = new NativeListener(module, native, settings, options.tls !== undefined);
  const { maxBackpressure, compression, idleTimeout } = settings;
  const guard = createGuard(options.logger);
  const { clock = systemClock } = options;
  const shared: ConnectionSettings = { maxBackpressure, compression, clock, guard, outbox: new Outbox(guard) };
  const open = opener(server, listener.endpoint, (options.trustedProxies ?? []).length > 0, shared);
  native.any("/*", (response, request) => open(response, request));
  native.ws<UserData>("/*", {
    // Above it, inflated or not, the native parser ends the TCP connection without a close frame.
    maxPayloadLength: payloadLimit(server.limits),
    // 0 is none: the connection keeps the limit itself.
    maxBackpressure: 0,
    idleTimeout,
    sendPingsAutomatically: idleTimeout > 0,
    // One window for all connections, so that none costs more memory for it.
    compression: compression ? module.SHARED_COMPRESSOR | module.SHARED_DECOMPRESSOR : 0,
    upgrade: open,
    open: guard((socket) => socket.getUserData().connection.opened(socket)),
    message: guard((socket, message, isBinary) => socket.getUserData().connection.message(message, isBinary)),
    drain: guard((socket) => socket.getUserData().connection.drained()),
    close: guard((socket, code, reason) => socket.getUserData().connection.closed(code, reason)),
  });
  return serveWith(server, listener);
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
function opener(server: ProtocolServer, endpoint: Endpoint, behindProxies: boolean, settings: ConnectionSettings) {
  return settings.guard(
    (response: NativeResponse, request: NativeRequest, context?: UpgradeContext): void => {
      const head = readHead(response, request, endpoint, behindProxies);
      const isLast = head.proxied !== undefined;
      if (hasAmbiguousLength(head.headers)) refuseLength(response, head, isLast);
      else if (asksForWebSocket(head)) {
        const upgrade = context && {
          key: request.getHeader("sec-websocket-key"),
          extensions: settings.compression ? acceptableExtensions(head) : "",
          context,
        };
        new WebSocketConnection(response, upgrade, settings, isLast).open(server, head);
      } else {
        new HttpConnection(response, head.method, settings, isLast).open(server, head);
      }
    },
    (response) => response.close(),
  );
}

function refuseLength(response: NativeResponse, head: RequestHead, isLast: boolean): void {
  if (isLast) response.close();
  else respond(response, responseHead(head.method, 400, [["connection", "close"]]), "Expected one Content-Length\n");
}

/**
 * The native side takes any offer of permessage-deflate, and compresses with a window of its own size. A client that asks
 * for a smaller one is to be declined (RFC 7692 7.1.2.1).
 */
function acceptableExtensions(head: RequestHead): string {
  const offers = header(head, "sec-websocket-extensions")?.split(",") ?? [];
  return offers.filter((offer) => !offer.includes("server_max_window_bits")).join(",");
}
