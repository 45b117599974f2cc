import { isAbsolute } from "node:path";
import {
  ConfigurationError,
  checkServeOptions,
  type ListenAddress,
  ProtocolServer,
  silentLogger,
  type TransportSettings,
} from "@sluice/core";
import { z } from "zod";
import { flag, list, wholeNumber } from "./value.js";

const defaults = checkServeOptions({ port: 0, logger: silentLogger });

/** What a protocol server takes for one. */
function isProxy(entry: string): boolean {
  try {
    new ProtocolServer(async () => {}, { logger: silentLogger, trustedProxies: [entry] });
    return true;
  } catch (error) {
    if (error instanceof ConfigurationError) return false;
    throw error;
  }
}

/** Where the server listens, and how. */
export const listenSettings = {
  PORT: wholeNumber(0, 65_535).default(8000),
  HOST: z.string().default("127.0.0.1"),
  UNIX_SOCKET: z.string().refine(isAbsolute, { error: "expected an absolute path" }).optional(),
  TLS_KEY: z.string().optional(),
  TLS_CERT: z.string().optional(),
  TRANSPORT: z.enum(["auto", "uws", "node"]).default("auto"),
  COMPRESSION: flag.default(false),
  MAX_BACKPRESSURE: wholeNumber(1).default(defaults.maxBackpressure),
  IDLE_TIMEOUT: wholeNumber(8, 960, { orZero: true }).default(defaults.idleTimeout),
  TRUSTED_PROXIES: list
    .superRefine((entries, context) => {
      const strange = entries.find((entry) => !isProxy(entry));
      if (strange === undefined) return;
      const expected = "expected a list of IP addresses, ranges such as 10.0.0.0/8, and unix";
      context.addIssue({ code: "custom", message: `${expected}, got ${JSON.stringify(strange)}` });
    })
    .default([]),
  ROOT_PATH: z
    .string()
    .regex(/^(\/[^/?#\s]+)+$/, { error: "expected a path such as /app, without a slash at its end" })
    .optional(),
  WORKERS: wholeNumber(1, 1024).default(1),
  SHUTDOWN_DEADLINE: wholeNumber(1).default(10_000),
  DRAIN_WINDOW: wholeNumber(0).default(0),
};

type ListenSettings = z.infer<z.ZodObject<typeof listenSettings>>;

/** What does not go together, fault by fault. `given` has the variables that were set. */
export function listenFaults(
  settings: ListenSettings & { readonly DATABASE_URL?: string | undefined },
  given: Readonly<Record<string, unknown>>,
): string[] {
  const { UNIX_SOCKET, TLS_KEY, TLS_CERT, WORKERS, DRAIN_WINDOW, SHUTDOWN_DEADLINE } = settings;
  const faults: string[] = [];
  if (UNIX_SOCKET !== undefined && (given.HOST ?? given.PORT) !== undefined) {
    faults.push("UNIX_SOCKET: expected it, or HOST and PORT, not both");
  }
  if ((TLS_KEY === undefined) !== (TLS_CERT === undefined)) {
    faults.push(`${TLS_KEY === undefined ? "TLS_KEY" : "TLS_CERT"}: expected both TLS_KEY and TLS_CERT, or neither`);
  }
  if (WORKERS > 1 && UNIX_SOCKET !== undefined) {
    faults.push("WORKERS: expected a port with more than one; they cannot share a Unix socket");
  }
  if (WORKERS > 1 && settings.DATABASE_URL === undefined) {
    faults.push("WORKERS: expected DATABASE_URL with more than one; the embedded database belongs to one process");
  }
  if (DRAIN_WINDOW > SHUTDOWN_DEADLINE) {
    faults.push("DRAIN_WINDOW: expected at most SHUTDOWN_DEADLINE, of which it is a part");
  }
  return faults;
}

export function listenAddress({ UNIX_SOCKET, PORT, HOST }: ListenSettings): ListenAddress {
  return UNIX_SOCKET === undefined ? { port: PORT, host: HOST } : { unix: UNIX_SOCKET };
}

export function transportSettings(settings: ListenSettings): TransportSettings {
  const { TLS_KEY: key, TLS_CERT: cert } = settings;
  return {
    ...(key === undefined || cert === undefined ? {} : { tls: { key, cert } }),
    maxBackpressure: settings.MAX_BACKPRESSURE,
    idleTimeout: settings.IDLE_TIMEOUT,
    compression: settings.COMPRESSION,
    sharedPort: settings.WORKERS > 1,
  };
}
