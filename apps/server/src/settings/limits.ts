import { defaultLimits, type Limits } from "@sluice/core";
import type { z } from "zod";
import { wholeNumber } from "./value.js";

/** The variable of each limit, and the lowest value it may have: 0 where that means without bound. */
const variables = {
  MAX_MESSAGE_SIZE: ["maxMessageSize", 1],
  MAX_BODY_SIZE: ["maxBodySize", 1],
  MAX_HEADER_SIZE: ["maxHeaderSize", 1],
  MAX_HEADERS: ["maxHeaders", 1],
  HANDSHAKE_TIMEOUT: ["handshakeTimeout", 1],
  HTTP_TIMEOUT: ["httpTimeout", 0],
  SEND_TIMEOUT: ["sendTimeout", 0],
  MAX_LIFETIME: ["maxLifetime", 0],
  MAX_INBOX_MESSAGES: ["maxInboxMessages", 1],
  MAX_INBOX_BYTES: ["maxInboxBytes", 1],
  MAX_CONNECTIONS: ["maxConnections", 0],
  MAX_CONNECTIONS_PER_ADDRESS: ["maxConnectionsPerAddress", 0],
  MAX_HANDSHAKES_PER_SECOND: ["maxHandshakesPerSecond", 0],
} as const satisfies Readonly<Record<string, readonly [limit: keyof Limits, lowest: number]>>;

type Variable = keyof typeof variables;

const entries = Object.entries(variables) as [Variable, (typeof variables)[Variable]][];

/** Every limit of core's, with core's default. */
export const limitSettings = Object.fromEntries(
  entries.map(([variable, [limit, lowest]]) => [variable, wholeNumber(lowest).default(defaultLimits[limit])]),
) as Record<Variable, z.ZodDefault<ReturnType<typeof wholeNumber>>>;

export function limitsOf(settings: Readonly<Record<Variable, number>>): Limits {
  return Object.fromEntries(entries.map(([variable, [limit]]) => [limit, settings[variable]])) as unknown as Limits;
}
