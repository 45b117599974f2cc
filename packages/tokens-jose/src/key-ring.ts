import { ConfigurationError } from "@sluice/core";
import {
  calculateJwkThumbprint,
  exportJWK,
  importJWK,
  importPKCS8,
  importSPKI,
  type JSONWebKeySet,
  type JWK,
} from "jose";
import { type HmacCheck, hmacCheck } from "./hmac.js";
import { type CheckedKey, type CheckedPem, checkKey, type Keys, type SecretBytes } from "./keys.js";

/** A key ready for use, under a name that tells nothing secret about it. */
export interface Key {
  /** The `kid`: of a public key its thumbprint (RFC 7638). */
  readonly id: string;
  readonly algorithm: CheckedKey["algorithm"];
  readonly verifies: CryptoKey;
  /** Undefined of a secret, which has no public half. */
  readonly publicJwk: JWK | undefined;
  /** Verifies at once; undefined of an asymmetric key, and where the runtime cannot. */
  readonly check: HmacCheck | undefined;
}

export interface KeyRing {
  readonly current: { readonly id: string; readonly algorithm: Key["algorithm"]; readonly signs: CryptoKey };
  /** All that verify, by their names. */
  readonly byId: ReadonlyMap<unknown, Key>;
}

/**
 * Makes a key ring when it is first asked for, and once: the import of a key takes the time of many verifications. Throws
 * `ConfigurationError` at once for a key of no use, and rejects with one for a key that is of the right kind but broken.
 */
export function keyRingOf({ current, previous = [] }: Keys): () => Promise<KeyRing> {
  const signer = checkKey(current, "the current key");
  if (signer.algorithm !== "HS256" && !signer.isPrivate) {
    throw new ConfigurationError("expected the current key to be a private one, as it signs, got a public one");
  }
  const others = previous.map((source, index) => checkKey(source, `previous key ${index + 1}`));
  let ring: Promise<KeyRing> | undefined;
  return () => {
    ring ??= open(signer, others);
    return ring;
  };
}

/** The public keys as others may have them (RFC 7517 5); those who only verify are among them. */
export function publicKeysOf({ byId }: KeyRing): JSONWebKeySet {
  const keys = [...byId.values()].flatMap(({ id, algorithm, publicJwk }) =>
    publicJwk === undefined ? [] : [{ ...publicJwk, kid: id, alg: algorithm, use: "sig" }],
  );
  return { keys };
}

async function open(signer: CheckedKey, others: readonly CheckedKey[]): Promise<KeyRing> {
  const [current, ...previous] = await Promise.all([
    importSigner(signer).catch(broken("the current key")),
    ...others.map(async (key, index) => (await importKey(key).catch(broken(`previous key ${index + 1}`))).key),
  ]);
  const { key, signs } = current;
  return {
    current: { id: key.id, algorithm: key.algorithm, signs },
    byId: new Map([key, ...previous].map((each) => [each.id, each])),
  };
}

function broken(which: string): (cause: unknown) => never {
  return (cause) => {
    throw new ConfigurationError(`expected ${which} to be a whole key, got one that cannot be imported`, { cause });
  };
}

async function importSigner(checked: CheckedKey): Promise<{ readonly key: Key; readonly signs: CryptoKey }> {
  const { key, jwk } = await importKey(checked);
  // Where its two halves do not belong together, the import fails.
  return { key, signs: jwk === undefined ? key.verifies : ((await importJWK(jwk, key.algorithm)) as CryptoKey) };
}

/** The key as it verifies; of an asymmetric one also all there is of it. */
async function importKey(checked: CheckedKey): Promise<{ readonly key: Key; readonly jwk?: JWK }> {
  const { algorithm } = checked;
  if (algorithm === "HS256") {
    const { secret } = checked;
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const verifies = await crypto.subtle.importKey("raw", secret, hmac, false, ["sign", "verify"]);
    return {
      key: { id: await idOf(secret), algorithm, verifies, publicJwk: undefined, check: hmacCheck(secret) },
    };
  }
  const jwk = "jwk" in checked ? checked.jwk : await jwkOf(checked);
  const { d: _private, ...publicJwk } = jwk;
  const verifies = (await importJWK(publicJwk, algorithm)) as CryptoKey;
  return {
    key: { id: await calculateJwkThumbprint(publicJwk), algorithm, verifies, publicJwk, check: undefined },
    jwk,
  };
}

async function jwkOf({ pem, isPrivate, algorithm }: CheckedPem): Promise<JWK> {
  return exportJWK(await (isPrivate ? importPKCS8 : importSPKI)(pem, algorithm, { extractable: true }));
}

/** 96 bits of a digest, of more than the secret so that it is no digest that anybody else makes of it. */
async function idOf(secret: SecretBytes): Promise<string> {
  const label = new TextEncoder().encode("sluice key id\0");
  const labelled = new Uint8Array(label.length + secret.length);
  labelled.set(label);
  labelled.set(secret, label.length);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", labelled));
  return Array.from(digest.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
