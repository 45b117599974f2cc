import { ConfigurationError } from "../errors.js";
import { checkRange } from "./check-range.js";
import type { ProtocolServerOptions } from "./protocol-server.js";

/** Where to listen. */
export type ListenAddress =
  | {
      /** 0 lets the system choose a free one. */
      readonly port: number;
      /** A name or an address. `"127.0.0.1"` if left out; `"0.0.0.0"` or `"::"` stands for every interface. */
      readonly host?: string;
      readonly unix?: never;
    }
  | {
      /** The path of a Unix socket. One that a dead server left behind is replaced. */
      readonly unix: string;
      readonly port?: never;
      readonly host?: never;
    };

/** What every transport's `serve` takes; a transport may take more. */
export type ServeOptions = ListenAddress & TransportSettings & ProtocolServerOptions;

export interface TransportSettings {
  /** Serves TLS instead of plain text. */
  readonly tls?: TlsFiles;
  /**
   * Bytes that may wait for a slow client, on top of what the system buffers, before it is given up: close 1013, or a
   * response that is cut. A single message or chunk is taken whatever its size while nothing waits. 1 MiB if left out.
   */
  readonly maxBackpressure?: number;
  /**
   * Seconds after which a WebSocket whose client sends nothing, not even a pong, is cut: 0 for never, or 8 to 960. 120
   * if left out. The ping that asks for the pong goes out 4 to 16 seconds before.
   */
  readonly idleTimeout?: number;
  /**
   * Offers per-message-deflate (RFC 7692). Off if left out: it costs memory and time per connection. A message that
   * inflates beyond `limits.maxMessageSize` ends the connection.
   */
  readonly compression?: boolean;
  /** Shares the port with other processes that ask for the same, where the system can. */
  readonly sharedPort?: boolean;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

/** The options with what was left out. */
export interface ServeSettings {
  readonly address: { readonly host: string; readonly port: number } | { readonly unix: string };
  readonly maxBackpressure: number;
  readonly idleTimeout: number;
  readonly compression: boolean;
  readonly sharedPort: boolean;
}

/** Bytes a Unix socket's path may have: `sun_path` of the strictest system, less its final zero. */
const maxUnixPath = 103;

/** Throws `ConfigurationError` for an option out of its range. */
export function checkServeOptions(options: ServeOptions): ServeSettings {
  const { maxBackpressure = 1024 * 1024, idleTimeout = 120, compression = false, sharedPort = false } = options;
  checkRange("maxBackpressure", maxBackpressure, 1, 2 ** 31 - 1);
  if (idleTimeout !== 0) checkRange("idleTimeout", idleTimeout, 8, 960, "0, or ");
  return { address: checkAddress(options), maxBackpressure, idleTimeout, compression, sharedPort };
}

function checkAddress(options: ListenAddress): ServeSettings["address"] {
  if (options.unix !== undefined) {
    const { unix } = options;
    if (unix === "" || new TextEncoder().encode(unix).length > maxUnixPath) {
      throw new ConfigurationError(
        `expected unix to be a path of 1 to ${maxUnixPath} bytes, got ${JSON.stringify(unix)}`,
      );
    }
    return { unix };
  }
  const { port, host = "127.0.0.1" } = options;
  checkRange("port", port, 0, 65_535);
  if (host === "") throw new ConfigurationError("expected host to be a name or an address, got an empty string");
  return { host, port };
}
