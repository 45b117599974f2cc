import { parseArgs } from "node:util";
import {
  type CheckedLayers,
  layerUsage,
  readLayers,
  readTransport,
  transportUsage,
  wholeNumber,
} from "../checks/options.js";
import type { TransportName } from "../soak/transports.js";

export interface Options extends CheckedLayers {
  /** How many have to be confirmed, at least. */
  readonly deliveries: number;
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

export const usage: string = `usage: npm run check:layers -- [options]
${layerUsage}
  --deliveries 100000     how many are to arrive, 1 to 10000000
  --sockets 600           as many on each server in each group, 2 to 20000
  --groups 20             1 to 1000
  --servers 3             processes, 2 to 16
  --rate 300              publishes per second, 1 to 5000
${transportUsage}
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
  const { kill, freeze } = values;
  const { layers, url } = readLayers(values);
  const transport = readTransport(values.transport);
  if (url !== undefined && (kill || freeze)) throw new TypeError("expected no --url with --kill and --freeze");
  const sockets = wholeNumber("--sockets", values.sockets, 2, 20_000);
  const groups = wholeNumber("--groups", values.groups, 1, 1_000);
  const servers = wholeNumber("--servers", values.servers, 2, 16);
  if (sockets % (groups * servers) !== 0) {
    throw new TypeError(`expected --sockets to be a multiple of ${groups} groups x ${servers} servers, got ${sockets}`);
  }
  return {
    ...{ layers, url },
    deliveries: wholeNumber("--deliveries", values.deliveries, 1, 10_000_000),
    ...{ sockets, groups, servers },
    rate: wholeNumber("--rate", values.rate, 1, 5_000),
    ...{ transport, kill, freeze },
  };
}
