import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "./settings.js";
import { SettingsError } from "./settings.js";

/**
 * The key that signs tokens: from `SECRET_KEY`, or outside production from a file in the data directory, made on first
 * start and readable by its owner only.
 */
export async function loadSecretKey(settings: Pick<Settings, "SECRET_KEY" | "DATA_DIR">): Promise<string> {
  if (settings.SECRET_KEY !== undefined) return settings.SECRET_KEY;
  await mkdir(settings.DATA_DIR, { recursive: true, mode: 0o700 });
  const file = join(settings.DATA_DIR, "secret-key");
  const key = (await read(file)) ?? (await create(file));
  if (Buffer.byteLength(key) < 32) {
    throw new SettingsError(`${file}: expected a secret of at least 32 bytes; remove the file to have a new one made`);
  }
  return key;
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Links a finished file into place, so that of two processes starting at once both see the same whole key. */
async function create(file: string): Promise<string> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${randomBytes(48).toString("base64")}\n`, { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(draft);
  }
  return (await readFile(file, "utf8")).trim();
}
