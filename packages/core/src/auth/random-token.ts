const tokenBytes = 32;

const tokenShape = /^[A-Za-z0-9_-]{43}$/;

/** 256 random bits in base64url (RFC 4648 5): 43 characters. */
export function randomToken(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(tokenBytes))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Whether `randomToken` may have made it: anything else is refused before it costs a digest or a look-up. */
export function isTokenShaped(text: string): boolean {
  return tokenShape.test(text);
}
