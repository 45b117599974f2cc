import { isTransportName, type TransportName, transports } from "../soak/transports.js";
import { isLayerName, type LayerName, layerNames } from "./layers.js";

/** What every check of layers is told. */
export interface CheckedLayers {
  /** What is checked, one after the other. */
  readonly layers: readonly LayerName[];
  /** A server that is there already. */
  readonly url: string | undefined;
  readonly sockets: number;
}

const transportNames = Object.keys(transports);

/** The lines of the usage that are the same for every check. */
export const layerUsage: string = `  --layer ${layerNames.join("|")}  one of them; both, one after the other, if left out
  --url redis://...       a server that is there already, for one --layer; else one is started, and ended`;
export const transportUsage: string = `  --transport ${transportNames.join("|")}`;

/** Throws a `TypeError` for a layer that there is not, and for a server of nobody knows which. */
export function readLayers({
  layer,
  url,
}: {
  readonly layer?: string;
  readonly url?: string;
}): Omit<CheckedLayers, "sockets"> {
  if (layer !== undefined && !isLayerName(layer)) {
    throw new TypeError(`expected --layer ${layerNames.join(" or ")}, got ${layer}`);
  }
  if (url !== undefined && layer === undefined) throw new TypeError("expected --layer with --url");
  return { layers: layer === undefined ? layerNames : [layer], url };
}

export function readTransport(name: string): TransportName {
  if (isTransportName(name)) return name;
  throw new TypeError(`expected --transport ${transportNames.join(" or ")}, got ${name}`);
}

export function wholeNumber(option: string, text: string, lowest: number, highest: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= lowest && number <= highest) return number;
  throw new TypeError(`expected ${option} to be a whole number from ${lowest} to ${highest}, got ${text}`);
}
