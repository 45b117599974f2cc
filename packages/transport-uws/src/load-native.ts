import { ConfigurationError, defaultLimits, type Limits } from "@sluice/core";
import type { NativeModule, UWebSockets } from "./native.js";

/**
 * Imports uWebSockets.js, for an application that goes on without it where there is no binary. Hand what it gives to
 * `serve` as `uws`. Rejects with `ConfigurationError` where the module is not installed or has no binary for this Node.
 *
 * `limits` are those of the server to come: the first import in a process decides how large a request's head may be. See
 * `ServeOptions.uws`.
 *
 * @example
 * const uws = await loadUWebSockets().catch(() => undefined);
 * const server = uws ? await serve(application, { port, logger, uws }) : await serveOtherwise(application);
 */
export async function loadUWebSockets(limits: Partial<Limits> = {}): Promise<UWebSockets> {
  return loadNative(undefined, limits);
}

/** The module handed in, or the one installed. Throws `ConfigurationError` where there is none for this Node. */
export async function loadNative(
  handedIn?: UWebSockets,
  limits: Partial<Limits> = {},
  load: () => Promise<unknown> = () => import("uWebSockets.js"),
): Promise<NativeModule> {
  let loaded: unknown = handedIn;
  if (loaded === undefined) {
    makeRoomForHeaders(limits);
    try {
      loaded = await load();
    } catch (cause) {
      throw new ConfigurationError(missing(), { cause });
    }
  }
  // The official package is CommonJS: import() shows its exports only as the default one.
  for (const candidate of [loaded, (loaded as { default?: unknown } | undefined)?.default]) {
    if (isNativeModule(candidate)) return candidate;
  }
  throw new ConfigurationError("expected the uWebSockets.js module, got something without App and SSLApp");
}

/** Bytes of a head that are no header lines: the request line with its query, and what the lines have around them. */
const roomForRequestLine = 8 * 1024;

/**
 * The native side refuses a head above 4 KiB, which a token and a few cookies exceed, unless this variable says
 * otherwise. It looks once, when the process loads it; on a worker thread it sees the main thread's variables only.
 */
function makeRoomForHeaders({ maxHeaderSize = defaultLimits.maxHeaderSize }: Partial<Limits>): void {
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(maxHeaderSize + roomForRequestLine);
}

function isNativeModule(candidate: unknown): candidate is NativeModule {
  return typeof candidate === "object" && candidate !== null && "App" in candidate && "SSLApp" in candidate;
}

function missing(): string {
  return (
    `expected a uWebSockets.js binary for Node ${process.versions.node} (ABI ${process.versions.modules}), found none. ` +
    "npm:uws-pack@20.0.8 has them for Node 18, 20, 21 and 22 (ABI 108, 115, 120 and 127) on glibc Linux, macOS and " +
    "Windows: install it under the name uWebSockets.js. For a newer Node install the official package " +
    "(uNetworking/uWebSockets.js on GitHub, the tag for your Node), or serve with another transport."
  );
}
