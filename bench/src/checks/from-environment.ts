import type { BrokeredChannelLayer, Logger } from "@sluice/core";
import { isTransportName, transports } from "../soak/transports.js";
import { isLayerName, layers } from "./layers.js";
import { fromEnvironment, layerVariable, prefixVariable, transportVariable, urlVariable } from "./variables.js";

/** The layer that a check has told this process to use, when it can be reached. */
export async function layerFromEnvironment(logger: Logger): Promise<BrokeredChannelLayer> {
  const name = fromEnvironment(layerVariable);
  if (!isLayerName(name)) throw new Error(`expected a layer that there is, got ${name}`);
  const makeLayer = await layers[name]();
  const layer = makeLayer({ url: fromEnvironment(urlVariable), prefix: fromEnvironment(prefixVariable), logger });
  await layer.ready();
  return layer;
}

/** The `serve` of the transport that a check has told this process to use. */
export function serveFromEnvironment(): ReturnType<(typeof transports)[keyof typeof transports]> {
  const name = fromEnvironment(transportVariable);
  if (!isTransportName(name)) throw new Error(`expected a transport that there is, got ${name}`);
  return transports[name]();
}
