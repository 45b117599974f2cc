import { ConfigurationError } from "@sluice/core";

const shortestSecret = 32;
/** Bytes of a random initialization vector, as NIST SP 800-38D has it for AES-GCM. */
const ivLength = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Encrypts text by AES-256-GCM, with keys that HKDF makes of secrets: the first encrypts, all of them decrypt. What comes out
 * is base64 of a random initialization vector, the encrypted text and its tag.
 */
export class PayloadCipher {
  readonly #secrets: readonly Uint8Array<ArrayBuffer>[];
  #keys: Promise<readonly CryptoKey[]> | undefined;

  /** Throws `ConfigurationError` where there is no secret, or one of less than 32 bytes. */
  constructor(secrets: ReadonlyArray<string | Uint8Array>) {
    if (secrets.length === 0) throw new ConfigurationError("expected an encryption key, got none");
    this.#secrets = secrets.map(bytesOf);
  }

  /** `context` is bound to the text: it can be decrypted with the same one only. */
  async encrypt(text: string, context: string): Promise<string> {
    const [key] = await this.#imported();
    if (key === undefined) throw new TypeError("expected a key");
    const iv = crypto.getRandomValues(new Uint8Array(ivLength));
    const sealed = new Uint8Array(await crypto.subtle.encrypt(parameters(iv, context), key, encoder.encode(text)));
    const payload = new Uint8Array(ivLength + sealed.length);
    payload.set(iv);
    payload.set(sealed, ivLength);
    return Buffer.from(payload.buffer).toString("base64");
  }

  /** Undefined for what none of the keys has encrypted, and for what was meant for another context. */
  async decrypt(payload: string, context: string): Promise<string | undefined> {
    const bytes = Buffer.from(payload, "base64");
    if (bytes.length < ivLength) return undefined;
    const algorithm = parameters(bytes.subarray(0, ivLength), context);
    for (const key of await this.#imported()) {
      try {
        return decoder.decode(await crypto.subtle.decrypt(algorithm, key, bytes.subarray(ivLength)));
      } catch {
        // Another key's, or nobody's.
      }
    }
    return undefined;
  }

  #imported(): Promise<readonly CryptoKey[]> {
    this.#keys ??= Promise.all(this.#secrets.map(deriveKey));
    return this.#keys;
  }
}

function bytesOf(secret: string | Uint8Array, index: number): Uint8Array<ArrayBuffer> {
  const bytes = typeof secret === "string" ? encoder.encode(secret) : new Uint8Array(secret);
  if (bytes.length >= shortestSecret) return bytes;
  throw new ConfigurationError(
    `expected encryption key ${index + 1} to have at least ${shortestSecret} bytes, got ${bytes.length}: ` +
      "make one with openssl rand -hex 32",
  );
}

async function deriveKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const info = encoder.encode("sluice channel layer");
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

function parameters(iv: Uint8Array<ArrayBuffer>, context: string): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: encoder.encode(context) };
}
