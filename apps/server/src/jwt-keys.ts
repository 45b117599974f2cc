import { readFile } from "node:fs/promises";
import { ConfigurationError, systemClock } from "@sluice/core";
import { JwtTokens, type Keys } from "@sluice/tokens-jose";
import { loadSecretKey } from "./secret-key.js";
import { type Settings, SettingsError } from "./settings.js";

type KeySettings = Pick<
  Settings,
  "SIGNING_KEY" | "SIGNING_KEY_PREVIOUS" | "SECRET_KEY" | "SECRET_KEY_PREVIOUS" | "DATA_DIR"
>;

/**
 * The keys of JWTs: a private key signs where there is one, else a secret. Whatever else is set still verifies, so that a
 * server can change from one kind to the other. Rejects with `SettingsError` for a key that cannot be used.
 */
export async function loadJwtKeys(settings: KeySettings): Promise<Keys> {
  const { SIGNING_KEY, SIGNING_KEY_PREVIOUS, SECRET_KEY, SECRET_KEY_PREVIOUS } = settings;
  const pems = await Promise.all(SIGNING_KEY_PREVIOUS.map((source) => readPem(source, "SIGNING_KEY_PREVIOUS")));
  const secrets = SECRET_KEY === undefined ? SECRET_KEY_PREVIOUS : [SECRET_KEY, ...SECRET_KEY_PREVIOUS];
  const keys =
    SIGNING_KEY === undefined
      ? { current: await loadSecretKey(settings), previous: [...pems, ...SECRET_KEY_PREVIOUS] }
      : { current: await readPem(SIGNING_KEY, "SIGNING_KEY"), previous: [...pems, ...secrets] };
  await check(keys);
  return keys;
}

/** A PEM as it is, with `\n` for line breaks where the environment cannot hold any, or what is in the file of that name. */
async function readPem(source: string, setting: string): Promise<string> {
  if (source.startsWith("-----BEGIN ")) return source.replaceAll("\\n", "\n");
  let text: string;
  try {
    text = await readFile(source, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : error;
    // Without the path: it may be a key, given in another way than as a PEM.
    throw new SettingsError(`${setting}: expected a PEM, or the path of a file that has one, which gives ${code}`);
  }
  if (text.trimStart().startsWith("-----BEGIN ")) return text;
  throw new SettingsError(`${setting}: expected the path of a PEM file, got one of a file without a PEM`);
}

/** Opens the keys once, so that a broken one ends the start and not the first login. */
async function check(keys: Keys): Promise<void> {
  try {
    await new JwtTokens({ keys, issuer: "sluice", audience: "sluice", clock: systemClock }).jwks();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new SettingsError(`SIGNING_KEY, SIGNING_KEY_PREVIOUS: ${error.message}`, { cause: error });
  }
}
