/** In characters. What is longer is refused before it costs anything, and would not fit into a header anyway. */
export const longestToken = 8192;

/**
 * Three parts in base64url (RFC 7515 3.1). Of the last digit of a signature some bits say nothing; they have to be zero, so
 * that only one spelling of it passes.
 */
const shape = /^[\w-]+\.[\w-]+\.(?=[\w-])(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/** Whether text can be a signed JWT at all. */
export function isTokenShaped(text: string): boolean {
  return text.length <= longestToken && shape.test(text);
}
