import { z } from "zod";
import { layerFaults, layerSettings } from "./settings/layer.js";
import { limitSettings } from "./settings/limits.js";
import { listenFaults, listenSettings } from "./settings/listen.js";
import { rateSettings } from "./settings/rates.js";
import { throttleSettings } from "./settings/throttle.js";
import { flag, list, wholeNumber } from "./settings/value.js";

/** HS256 wants a key at least as long as its digest (RFC 7518 3.2). */
const secretKey = z.string().refine((text) => Buffer.byteLength(text) >= 32, {
  error: "expected at least 32 bytes; make one with: openssl rand -base64 48",
});

/** Every variable there is; docs/settings.md explains them. */
export const environment = z.object({
  NODE_ENV: z.enum(["development", "test", "production"]).default("development"),
  DATA_DIR: z.string().default(".data"),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: "expected postgres://user:password@host:port/database" })
    .optional(),
  SECRET_KEY: secretKey.optional(),
  SECRET_KEY_PREVIOUS: list.pipe(z.array(secretKey)).default([]),
  SIGNING_KEY: z.string().optional(),
  SIGNING_KEY_PREVIOUS: list.default([]),
  ALLOWED_HOSTS: list.default([]),
  ALLOWED_ORIGINS: list
    .pipe(
      z.array(
        z
          .url({ protocol: /^https?$/, error: "expected origins such as https://app.example.com" })
          .transform((url) => new URL(url).origin),
      ),
    )
    .default([]),
  ALLOW_URL_CREDENTIALS: flag.default(false),
  TOKEN_CACHE_AGE: wholeNumber(1, 60_000).default(10_000),
  TOKEN_CACHE_SIZE: wholeNumber(0, 10_000_000).default(20_000),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  ...layerSettings,
  ...listenSettings,
  ...limitSettings,
  ...rateSettings,
  ...throttleSettings,
});

/** What the operator has decided, checked. */
export type Settings = z.infer<typeof environment>;

/** A setting that cannot be used. The message has one line per fault and never shows a secret. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Reads the settings from the environment; a variable that is empty counts as not set. */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ""));
  const { success, data, error } = environment.safeParse(set);
  if (!success) {
    throw new SettingsError(error.issues.map(({ path, message }) => `${path[0]?.toString()}: ${message}`).join("; "));
  }
  const faults = [
    ...listenFaults(data, set),
    ...layerFaults(data),
    ...(data.NODE_ENV === "production" ? productionFaults(data) : []),
  ];
  if (faults.length > 0) throw new SettingsError(faults.join("; "));
  return data.ALLOWED_HOSTS.length > 0 ? data : { ...data, ALLOWED_HOSTS: [...ownMachine] };
}

function productionFaults(settings: Settings): string[] {
  return [
    ...((settings.SIGNING_KEY ?? settings.SECRET_KEY) === undefined
      ? ["SECRET_KEY: expected a secret of at least 32 bytes in production"]
      : []),
    ...(settings.ALLOWED_HOSTS.length === 0
      ? ["ALLOWED_HOSTS: expected the host names this server is reached by in production"]
      : []),
  ];
}

/** Where a developer's own server is reached. */
const ownMachine: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];
