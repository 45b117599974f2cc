import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@sluice/core";
import { JwtTokens, type Keys } from "@sluice/tokens-jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadJwtKeys } from "./jwt-keys.js";
import { readSettings } from "./settings.js";

const secret = "a secret of the test's, 32 bytes long";
const oldSecret = "another one that was current before it";

function pems(): { readonly privatePem: string; readonly publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return { privatePem: privateKey, publicPem: publicKey };
}

const current = pems();
const before = pems();
let directory: string;
let file: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-"));
  file = join(directory, "signing-key.pem");
  await writeFile(file, current.privatePem);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const load = (variables: Record<string, string>): Promise<Keys> =>
  loadJwtKeys(readSettings({ DATA_DIR: directory, ...variables }));

describe("the keys of JWTs", () => {
  it("are secrets where there is nothing else", async () => {
    expect(await load({ SECRET_KEY: secret, SECRET_KEY_PREVIOUS: oldSecret })).toEqual({
      current: secret,
      previous: [oldSecret],
    });
  });

  it("are a private key where there is one, and secrets still verify", async () => {
    const keys = { current: current.privatePem, previous: [before.publicPem, secret, oldSecret] };
    const secrets = { SECRET_KEY: secret, SECRET_KEY_PREVIOUS: oldSecret };
    const previous = join(directory, "before.pem");
    await writeFile(previous, before.publicPem);
    expect(await load({ SIGNING_KEY: file, SIGNING_KEY_PREVIOUS: ` ${previous}, `, ...secrets })).toEqual(keys);
    const oneLine = before.publicPem.replaceAll("\n", "\\n");
    const signing = { SIGNING_KEY: current.privatePem, SIGNING_KEY_PREVIOUS: oneLine };
    expect((await load({ ...signing, ...secrets })).current).toBe(current.privatePem);
    expect(await jwks(await load({ ...signing, ...secrets }))).toEqual(await jwks(keys));
  });

  it("need no secret in production beside a private key", () => {
    const settings = readSettings({ NODE_ENV: "production", ALLOWED_HOSTS: "example.com", SIGNING_KEY: file });
    expect(settings.SECRET_KEY).toBeUndefined();
  });

  it("may go back to a secret", async () => {
    expect(await load({ SECRET_KEY: secret, SIGNING_KEY_PREVIOUS: current.publicPem.trim() })).toEqual({
      current: secret,
      previous: [current.publicPem.trim()],
    });
  });

  it.each<[string, () => Record<string, string>, string]>([
    [
      "a file that is not there",
      () => ({ SIGNING_KEY: "/nowhere/s3cret" }),
      "SIGNING_KEY: expected a PEM, or the path of a file that has one, which gives ENOENT",
    ],
    [
      "a directory",
      () => ({ SECRET_KEY: secret, SIGNING_KEY_PREVIOUS: directory }),
      "SIGNING_KEY_PREVIOUS: expected a PEM, or the path of a file that has one, which gives EISDIR",
    ],
    [
      "a file of something else",
      () => ({ SIGNING_KEY: fileURLToPath(import.meta.url) }),
      "SIGNING_KEY: expected the path of a PEM file, got one of a file without a PEM",
    ],
    [
      "a public key that is to sign",
      () => ({ SIGNING_KEY: current.publicPem }),
      "SIGNING_KEY, SIGNING_KEY_PREVIOUS: expected the current key to be a private one, as it signs, got a public one",
    ],
    [
      "a key that is broken",
      () => ({ SIGNING_KEY: file, SIGNING_KEY_PREVIOUS: current.publicPem.replace(/.{9}\n---/, "AAAA=\n---") }),
      "SIGNING_KEY, SIGNING_KEY_PREVIOUS: expected previous key 1 to be a whole key, got one that cannot be imported",
    ],
  ])("are a fault of the operator's: %s", async (_, variables, message) => {
    await expect(load(variables())).rejects.toMatchObject({ name: "SettingsError", message });
  });
});

function jwks(keys: Keys): Promise<object> {
  return new JwtTokens({ keys, issuer: "sluice", audience: "sluice", clock: systemClock }).jwks();
}
