import type { MaybePromise } from "../app.js";

/**
 * SHA-256 of a text in UTF-8, in lower-case hexadecimal: 64 digits. Passed in where a runtime has a faster one than
 * `webDigest`, such as Node's `(text) => hash("sha256", text, "hex")`.
 */
export type Digest = (text: string) => MaybePromise<string>;

/** By WebCrypto, which every runtime has. Each digest crosses to another thread and back, which costs far more than itself. */
export const webDigest: Digest = async (text) => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
};
