import type { SecretBytes } from "./keys.js";

/** Whether `signature`, in base64url, is the HMAC-SHA-256 of `input` under a secret that it knows. */
export type HmacCheck = (input: string, signature: string) => boolean;

/** What of Node's `node:crypto` is used here. */
interface NodeCrypto {
  createHmac(algorithm: "sha256", key: object): { update(text: string): { digest(encoding: "base64url"): string } };
  createSecretKey(secret: Uint8Array): object;
  timingSafeEqual(one: Uint8Array, other: Uint8Array): boolean;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

const encoder = new TextEncoder();

/**
 * A check that answers at once, which Node, Bun and Deno have the means for; undefined elsewhere. WebCrypto takes each MAC to
 * another thread and back, which costs several times as much as the whole rest of a verification.
 */
export function hmacCheck(secret: SecretBytes, host: Host = globalThis as Host): HmacCheck | undefined {
  const crypto = host.process?.getBuiltinModule?.("node:crypto") as NodeCrypto | undefined;
  if (crypto === undefined) return undefined;
  const key = crypto.createSecretKey(secret);
  return (input, signature) => {
    const given = encoder.encode(signature);
    const expected = encoder.encode(crypto.createHmac("sha256", key).update(input).digest("base64url"));
    return given.length === expected.length && crypto.timingSafeEqual(given, expected);
  };
}
