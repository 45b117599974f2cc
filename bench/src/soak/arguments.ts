import { parseArgs } from "node:util";
import { isLeak, type Leak, leaks } from "./leak.js";
import { isTransportName, type TransportName, transports } from "./transports.js";

export interface Options {
  /** How long the connections come and go, warm-up included. */
  readonly minutes: number;
  readonly transport: TransportName;
  /** At one time. */
  readonly connections: number;
  /** What the clients do follows from it, but for what the network makes of their timing. */
  readonly seed: number;
  /** What the server does wrong on purpose. */
  readonly leak: Leak | undefined;
}

const transportNames = Object.keys(transports);

export const usage: string = `usage: npm run soak -- [options]
  --minutes 10         how long, 0.05 to 1440
  --transport ${transportNames.join("|")}
  --connections 10000  at one time, 10 to 25000
  --seed 1             of what the clients do, 0 to 2147483647
  --leak ${leaks.join("|")}  a server that leaks on purpose, to see that this is found out`;

/** Throws a `TypeError` for arguments that it does not know or cannot use. */
export function readArguments(given: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...given],
    options: {
      minutes: { type: "string", default: "10" },
      transport: { type: "string", default: "uws" },
      connections: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      leak: { type: "string" },
    },
  });
  if (!isTransportName(values.transport)) {
    throw new TypeError(`expected --transport ${transportNames.join(" or ")}, got ${values.transport}`);
  }
  if (values.leak !== undefined && !isLeak(values.leak)) {
    throw new TypeError(`expected --leak ${leaks.join(" or ")}, got ${values.leak}`);
  }
  return {
    minutes: checkedRange("--minutes", Number(values.minutes), 0.05, 1440, values.minutes),
    transport: values.transport,
    connections: wholeNumber("--connections", values.connections, 10, 25_000),
    seed: wholeNumber("--seed", values.seed, 0, 2 ** 31 - 1),
    leak: values.leak,
  };
}

function wholeNumber(option: string, text: string, lowest: number, highest: number): number {
  const number = checkedRange(option, Number(text), lowest, highest, text);
  if (!Number.isInteger(number)) throw new TypeError(`expected ${option} to be a whole number, got ${text}`);
  return number;
}

function checkedRange(option: string, number: number, lowest: number, highest: number, text: string): number {
  if (number >= lowest && number <= highest) return number;
  throw new TypeError(`expected ${option} to be from ${lowest} to ${highest}, got ${text}`);
}
