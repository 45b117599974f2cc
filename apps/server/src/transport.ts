import {
  type App,
  ConfigurationError,
  defaultLimits,
  type Limits,
  type Logger,
  type ServeOptions,
  type Server,
} from "@sluice/core";
import { serve as serveOnNode } from "@sluice/transport-node";
import { loadUWebSockets, serve as serveOnUws } from "@sluice/transport-uws";
import type { Settings } from "./settings.js";

/** What carries the bytes. */
export interface Transport {
  readonly name: "uws" | "node";
  readonly serve: (app: App, options: ServeOptions) => Promise<Server>;
}

const uws: Transport = { name: "uws", serve: serveOnUws };
const node: Transport = { name: "node", serve: serveOnNode };

/** The transport that is wanted, or with `"auto"` the fastest there is. Rejects where `"uws"` has no binary. */
export async function chooseTransport(
  wanted: Settings["TRANSPORT"],
  logger: Logger,
  limits: Pick<Limits, "maxHeaderSize"> = defaultLimits,
): Promise<Transport> {
  if (wanted === "node") return node;
  try {
    await loadUWebSockets(limits);
    return uws;
  } catch (error) {
    if (wanted === "uws" || !(error instanceof ConfigurationError)) throw error;
    logger.warn({ transport: "node" }, `serving on node:http, which is slower than uWebSockets.js: ${error.message}`);
    return node;
  }
}
