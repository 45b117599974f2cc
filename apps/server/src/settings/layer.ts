import { z } from "zod";
import { list } from "./value.js";

const redisUrl = /^rediss?:\/\/./;
const postgresUrl = /^postgres(ql)?:\/\/./;
const expected =
  "expected memory, postgres, or a URL such as redis://user:password@host:6379 or postgres://user:password@host/database";

/** What carries messages between consumers. */
export const layerSettings = {
  CHANNEL_LAYER: z
    .string()
    .refine((value) => value === "memory" || value === "postgres" || redisUrl.test(value) || postgresUrl.test(value), {
      error: expected,
    })
    .optional(),
  CHANNEL_LAYER_KEYS: list
    .pipe(
      z.array(
        z.string().refine((key) => Buffer.byteLength(key) >= 32, { error: "expected keys of at least 32 bytes" }),
      ),
    )
    .default([]),
  REDIS_URL: z.string().regex(redisUrl, { error: "expected a URL such as redis://user:password@host:6379" }).optional(),
};

type LayerSettings = z.infer<z.ZodObject<typeof layerSettings>>;

/** Where messages between consumers go. */
export type LayerChoice =
  | { readonly name: "memory" }
  | { readonly name: "redis"; readonly url: string; readonly encryptionKeys: readonly string[] }
  | { readonly name: "postgres"; readonly url: string };

interface Surroundings {
  readonly DATABASE_URL?: string | undefined;
  readonly WORKERS: number;
}

/** What was asked for; else Redis, where there is one; else, for several processes, the database; else memory. */
export function layerChoice(settings: LayerSettings & Surroundings): LayerChoice {
  const { CHANNEL_LAYER, REDIS_URL, DATABASE_URL, WORKERS } = settings;
  const wanted = CHANNEL_LAYER ?? REDIS_URL ?? (WORKERS > 1 ? "postgres" : "memory");
  if (wanted === "memory") return { name: "memory" };
  // `layerFaults` has refused to go without.
  if (wanted === "postgres") return { name: "postgres", url: DATABASE_URL ?? "" };
  if (postgresUrl.test(wanted)) return { name: "postgres", url: wanted };
  return { name: "redis", url: wanted, encryptionKeys: settings.CHANNEL_LAYER_KEYS };
}

/** What does not go together, fault by fault. */
export function layerFaults(settings: LayerSettings & Surroundings): string[] {
  const { CHANNEL_LAYER, CHANNEL_LAYER_KEYS, DATABASE_URL, WORKERS } = settings;
  const faults: string[] = [];
  if (CHANNEL_LAYER === "memory" && WORKERS > 1) {
    faults.push(
      "CHANNEL_LAYER: expected redis://... or postgres with more than one worker; memory ends at the process",
    );
  }
  if (CHANNEL_LAYER === "postgres" && DATABASE_URL === undefined) {
    faults.push("CHANNEL_LAYER: expected DATABASE_URL with postgres; the embedded database belongs to one process");
  }
  if (CHANNEL_LAYER_KEYS.length > 0 && layerChoice(settings).name !== "redis") {
    faults.push("CHANNEL_LAYER_KEYS: expected a channel layer on Redis, the only one that encrypts");
  }
  return faults;
}
