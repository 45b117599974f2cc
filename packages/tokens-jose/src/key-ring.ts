import { ConfigurationError } from "@sluice/core";

/** What tokens are signed with. Text counts as its UTF-8 bytes. */
export interface Secrets {
  /** Signs new tokens and verifies them. At least 32 bytes (RFC 7518 3.2), random ones. */
  readonly current: string | Uint8Array;
  /** Still verify: those that were current not longer ago than a token lives. */
  readonly previous?: ReadonlyArray<string | Uint8Array>;
}

/** A secret as bytes, a copy of its own. */
type SecretBytes = Uint8Array<ArrayBuffer>;

/** A secret ready for use, under a name that tells nothing about it. */
export interface Key {
  readonly id: string;
  readonly key: CryptoKey;
}

export interface KeyRing {
  /** Signs. */
  readonly current: Key;
  /** Verify: all of them, by their names. */
  readonly byId: ReadonlyMap<unknown, CryptoKey>;
}

const shortestSecret = 32;

/**
 * Makes a key ring of secrets when it is first asked for, and once: the import of a key takes the time of many
 * verifications. Throws `ConfigurationError` at once for a secret that is too short.
 */
export function keyRingOf({ current, previous = [] }: Secrets): () => Promise<KeyRing> {
  const currentBytes = bytesOf(current, "the current secret");
  const previousBytes = previous.map((secret, index) => bytesOf(secret, `previous secret ${index + 1}`));
  let ring: Promise<KeyRing> | undefined;
  return () => {
    ring ??= open(currentBytes, previousBytes);
    return ring;
  };
}

async function open(currentBytes: SecretBytes, previousBytes: readonly SecretBytes[]): Promise<KeyRing> {
  const [current, ...previous] = await Promise.all([importKey(currentBytes), ...previousBytes.map(importKey)]);
  return { current, byId: new Map([current, ...previous].map(({ id, key }) => [id, key])) };
}

function bytesOf(secret: string | Uint8Array, which: string): SecretBytes {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : new Uint8Array(secret);
  if (bytes.length >= shortestSecret) return bytes;
  throw new ConfigurationError(
    `expected ${which} to have at least ${shortestSecret} bytes, got ${bytes.length}: make one with openssl rand -hex 32`,
  );
}

async function importKey(secret: SecretBytes): Promise<Key> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  return { id: await idOf(secret), key: await crypto.subtle.importKey("raw", secret, hmac, false, ["sign", "verify"]) };
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
