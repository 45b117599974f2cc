import { constants } from "node:buffer";
import { ConfigurationError, type Limits, type ProtocolServerOptions } from "@sluice/core";
import type { UWebSockets } from "./native.js";

export interface ServeOptions extends ProtocolServerOptions {
  /** 0 lets the system choose a free one. */
  readonly port: number;
  /** A name or an address. `"127.0.0.1"` if left out; `"0.0.0.0"` or `"::"` stands for every interface. */
  readonly host?: string;
  /** Serves TLS instead of plain text. */
  readonly tls?: TlsFiles;
  /**
   * Bytes that may wait for a slow client, on top of what the system buffers, before it is given up: close 1013, or a
   * response that is cut. A single message or chunk is taken whatever its size while nothing waits. 1 MiB if left out.
   */
  readonly maxBackpressure?: number;
  /**
   * Seconds after which a WebSocket whose client sends nothing, not even a pong, is cut; pings are sent in time. 120 if
   * left out, 0 for never.
   */
  readonly idleTimeout?: number;
  /** The module, where it is not to be imported by the name `"uWebSockets.js"`. */
  readonly uws?: UWebSockets;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly maxBackpressure: number;
  readonly idleTimeout: number;
}

/** Throws `ConfigurationError` for an option out of its range. */
export function checkOptions(options: ServeOptions): Settings {
  const { port, host = "127.0.0.1", maxBackpressure = 1024 * 1024, idleTimeout = 120, limits } = options;
  checkRange("port", port, 0, 65_535);
  checkRange("maxBackpressure", maxBackpressure, 1, 2 ** 31 - 1);
  if (idleTimeout !== 0) checkRange("idleTimeout", idleTimeout, 8, 960, "0, or ");
  if (host === "") throw new ConfigurationError("expected host to be a name or an address, got an empty string");
  if (limits?.maxMessageSize !== undefined) {
    // A longer text could not be handed over as a string.
    checkRange("limits.maxMessageSize", limits.maxMessageSize, 1, constants.MAX_STRING_LENGTH);
  }
  return { port, host, maxBackpressure, idleTimeout };
}

function checkRange(name: string, value: number, lowest: number, highest: number, orElse = ""): void {
  if (!Number.isInteger(value) || value < lowest || value > highest) {
    throw new ConfigurationError(
      `expected ${name} to be ${orElse}a whole number from ${lowest} to ${highest}, got ${value}`,
    );
  }
}

const mebibyte = 1024 * 1024;

/**
 * Where the native parser gives up on a message: it ends the TCP connection then, without a close frame. Twice our own
 * limit, by at most 1 MiB more, so that a message somewhat too large still gets its 1009 and one far too large costs no
 * memory.
 */
export function maxPayloadLength({ maxMessageSize }: Limits): number {
  return maxMessageSize + Math.min(maxMessageSize, mebibyte);
}
