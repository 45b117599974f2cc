import { ConfigurationError, checkLimits, type Limits, type Logger } from "@sluice/core";
import type { NativeModule, UWebSockets } from "./native.js";

/**
 * Imports uWebSockets.js, for an application that goes on without it where there is no binary. Hand what it gives to
 * `serve` as `uws`. Rejects with `ConfigurationError` where the module is not installed or has no binary for this Node,
 * and for a limit out of its range.
 *
 * `limits` are those of the server to come, or `defaultLimits` if it has none of its own: the first import in a process
 * decides how large a request's head may be. See `ServeOptions.uws`.
 *
 * @example
 * const limits = checkLimits({ maxHeaderSize: 32 * 1024 });
 * const uws = await loadUWebSockets(limits).catch(() => undefined);
 * const server = uws ? await serve(application, { port, logger, limits, uws }) : await serveOtherwise(application);
 */
export async function loadUWebSockets(limits: HeadLimits): Promise<UWebSockets> {
  return loadNative(undefined, limits);
}

/** What of a server's limits the module has to know when it is imported. */
type HeadLimits = Pick<Limits, "maxHeaderSize">;

/** The module handed in, or the one installed. Rejects with `ConfigurationError` where there is none for this Node. */
export async function loadNative(
  handedIn: UWebSockets | undefined,
  limits: HeadLimits,
  load: () => Promise<unknown> = () => import("uWebSockets.js"),
): Promise<NativeModule> {
  let loaded: unknown = handedIn;
  if (loaded === undefined) {
    makeRoomForHeaders(checkLimits(limits));
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
function makeRoomForHeaders({ maxHeaderSize }: HeadLimits): void {
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(maxHeaderSize + roomForRequestLine);
}

/** Bytes of a head that the native side takes where the variable does not say otherwise. */
const nativeHeadSize = 4 * 1024;

/** Tells the operator where the native side, which is loaded by now, refuses heads that the limits would let through. */
export function warnOfSmallHeads({ limits, logger }: { readonly limits: HeadLimits; readonly logger: Logger }): void {
  const { maxHeaderSize } = limits;
  const bytes = Number(process.env.UWS_HTTP_MAX_HEADERS_SIZE ?? nativeHeadSize);
  if (bytes >= maxHeaderSize) return;
  logger.warn(
    { bytes, maxHeaderSize },
    "uWebSockets.js takes heads of fewer bytes than limits.maxHeaderSize: " +
      "set UWS_HTTP_MAX_HEADERS_SIZE before it is imported, or call loadUWebSockets with the largest limit first",
  );
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
