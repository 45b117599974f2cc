import { parseArgs } from "node:util";
import { isTransportName, type TransportName, transports } from "../soak/transports.js";
import { isLayerName, type LayerName, layerNames } from "./layers.js";

export interface Options {
  /** What is checked, one after the other. */
  readonly layers: readonly LayerName[];
  /** A server that is there already. */
  readonly url: string | undefined;
  /** How many have to be confirmed, at least. */
  readonly deliveries: number;
  readonly sockets: number;
  readonly groups: number;
  /** Processes that serve. */
  readonly servers: number;
  /** Publishes per second. */
  readonly rate: number;
  readonly transport: TransportName;
  /** Whether the layer's server dies in the middle, and is started again. */
  readonly kill: boolean;
  /** Whether it stops in the middle without ending its connections. */
  readonly freeze: boolean;
}

const transportNames = Object.keys(transports);

export const usage: string = `usage: npm run check:layers -- [options]
  --layer ${layerNames.join("|")}  one of them; both, one after the other, if left out
  --url redis://...       a server that is there already, for one --layer; else one is started, and ended
  --deliveries 100000     how many are to arrive, 1 to 10000000
  --sockets 600           as many on each server in each group, 2 to 20000
  --groups 20             1 to 1000
  --servers 3             processes, 2 to 16
  --rate 300              publishes per second, 1 to 5000
  --transport ${transportNames.join("|")}
  --kill                  the layer's server dies in the middle (SIGKILL), and is started again
  --freeze                it stops in the middle (SIGSTOP), and goes on`;

/** Throws a `TypeError` for arguments that it does not know or cannot use. */
export function readArguments(given: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...given],
    options: {
      layer: { type: "string" },
      url: { type: "string" },
      deliveries: { type: "string", default: "100000" },
      sockets: { type: "string", default: "600" },
      groups: { type: "string", default: "20" },
      servers: { type: "string", default: "3" },
      rate: { type: "string", default: "300" },
      transport: { type: "string", default: "node" },
      kill: { type: "boolean", default: false },
      freeze: { type: "boolean", default: false },
    },
  });
  const { layer, url, transport, kill, freeze } = values;
  if (layer !== undefined && !isLayerName(layer)) {
    throw new TypeError(`expected --layer ${layerNames.join(" or ")}, got ${layer}`);
  }
  if (!isTransportName(transport)) {
    throw new TypeError(`expected --transport ${transportNames.join(" or ")}, got ${transport}`);
  }
  if (url !== undefined && layer === undefined) throw new TypeError("expected --layer with --url");
  if (url !== undefined && (kill || freeze)) throw new TypeError("expected no --url with --kill and --freeze");
  const sockets = wholeNumber("--sockets", values.sockets, 2, 20_000);
  const groups = wholeNumber("--groups", values.groups, 1, 1_000);
  const servers = wholeNumber("--servers", values.servers, 2, 16);
  if (sockets % (groups * servers) !== 0) {
    throw new TypeError(`expected --sockets to be a multiple of ${groups} groups x ${servers} servers, got ${sockets}`);
  }
  return {
    layers: layer === undefined ? layerNames : [layer],
    url,
    deliveries: wholeNumber("--deliveries", values.deliveries, 1, 10_000_000),
    ...{ sockets, groups, servers },
    rate: wholeNumber("--rate", values.rate, 1, 5_000),
    ...{ transport, kill, freeze },
  };
}

function wholeNumber(option: string, text: string, lowest: number, highest: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= lowest && number <= highest) return number;
  throw new TypeError(`expected ${option} to be a whole number from ${lowest} to ${highest}, got ${text}`);
}
