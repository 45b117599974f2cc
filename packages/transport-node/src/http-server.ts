import { readFile } from "node:fs/promises";
import { createServer, IncomingMessage, type Server, type ServerOptions } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { asksForWebSocket, ConfigurationError, type Limits, type TlsFiles } from "@sluice/core";
import { readHeaders } from "./request-head.js";

/** Bytes of a request target that fit beside header lines of the size that is allowed. */
const roomForTarget = 16 * 1024;

/** A server that reads requests, and does nothing with them yet. Throws `ConfigurationError` for TLS files of no use. */
export async function createHttpServer(limits: Limits, tls: TlsFiles | undefined): Promise<Server> {
  const options: ServerOptions = {
    IncomingMessage: Request as typeof IncomingMessage,
    insecureHTTPParser: false,
    // Somewhat more than core takes, so that it is core that refuses what is somewhat too large.
    maxHeaderSize: limits.maxHeaderSize + roomForTarget,
    headersTimeout: 10_000,
    requestTimeout: 300_000,
    // Longer than proxies keep an idle connection, or they would send requests into one that is being closed.
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 5_000,
  };
  const server =
    tls === undefined
      ? createServer(options)
      : createSecure(options, tls, await readPem(tls.key), await readPem(tls.cert));
  // Node.js drops header lines above a count without a word. The size bounds their number, and core counts them.
  server.maxHeadersCount = 0;
  return server;
}

function createSecure(options: ServerOptions, tls: TlsFiles, key: Buffer, cert: Buffer): Server {
  try {
    return createSecureServer({ ...options, key, cert, handshakeTimeout: 10_000 });
  } catch (cause) {
    throw new ConfigurationError(`expected PEM files that match at ${tls.key} (key) and ${tls.cert} (cert)`, { cause });
  }
}

async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ConfigurationError(`expected a PEM file that can be read at ${path}`, { cause });
  }
}

/**
 * Where anybody listens for upgrades, Node.js hands over every request with an Upgrade header, bare of its body, also one
 * that may be answered as if the header were not there (RFC 9110 7.8), such as those for h2c. This keeps it to WebSockets.
 */
class Request extends IncomingMessage {
  asked = false;

  get upgrade(): boolean {
    if (!this.asked) return false;
    const { method = "", httpVersion } = this;
    return method === "CONNECT" || asksForWebSocket({ method, httpVersion, headers: readHeaders(this) });
  }

  set upgrade(asked: boolean | null) {
    this.asked = asked === true;
  }
}
