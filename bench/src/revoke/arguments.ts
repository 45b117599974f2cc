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
import { patience } from "./closures.js";

export interface Options extends CheckedLayers {
  /** Processes that serve. */
  readonly servers: number;
  /** Revocations per second. */
  readonly rate: number;
  /** The most that the p99 may be, in milliseconds. */
  readonly bound: number;
  readonly transport: TransportName;
}

export const usage: string = `usage: npm run check:revoke -- [options]
${layerUsage}
  --sockets 300           one of each token on each server, 2 to 20000
  --servers 3             processes, 2 to 16
  --rate 20               revocations per second, 1 to 1000
  --bound 250             milliseconds that the p99 may be, 1 to ${patience}
${transportUsage}`;

/** Throws a `TypeError` for arguments that it does not know or cannot use. */
export function readArguments(given: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...given],
    options: {
      layer: { type: "string" },
      url: { type: "string" },
      sockets: { type: "string", default: "300" },
      servers: { type: "string", default: "3" },
      rate: { type: "string", default: "20" },
      bound: { type: "string", default: "250" },
      transport: { type: "string", default: "node" },
    },
  });
  const { layers, url } = readLayers(values);
  const transport = readTransport(values.transport);
  const sockets = wholeNumber("--sockets", values.sockets, 2, 20_000);
  const servers = wholeNumber("--servers", values.servers, 2, 16);
  if (sockets % servers !== 0) {
    throw new TypeError(`expected --sockets to be a multiple of ${servers} servers, got ${sockets}`);
  }
  return {
    ...{ layers, url, sockets, servers },
    rate: wholeNumber("--rate", values.rate, 1, 1_000),
    bound: wholeNumber("--bound", values.bound, 1, patience),
    transport,
  };
}
