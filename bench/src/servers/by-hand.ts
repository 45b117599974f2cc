/** What servers do themselves that have no library for it: the least that is right. */
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { loginLifetime, site, siteSecret } from "./site.js";

export interface User {
  readonly id: string;
  readonly username: string;
  readonly name: string;
}

const key = await crypto.subtle.importKey(
  "raw",
  new TextEncoder().encode(siteSecret()),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["sign", "verify"],
);

const verification = {
  algorithms: ["HS256"],
  typ: "at+jwt",
  issuer: site.issuer,
  audience: site.audience,
  clockTolerance: 5,
};

/** Undefined for a token that is no good. */
export async function authenticate(token: string): Promise<User | undefined> {
  try {
    return userOf((await jwtVerify(token, key, verification)).payload);
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

/** Of a payload whose signature, issuer, audience and times were checked. */
export function userOf({ sub, username, name, jti, exp }: JWTPayload): User | undefined {
  if (typeof sub !== "string" || sub === "" || typeof jti !== "string" || exp === undefined) return undefined;
  return typeof username === "string" && typeof name === "string" ? { id: sub, username, name } : undefined;
}

/** A token for who has logged in. */
export function issue({ id, username, name }: User): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({ username, name })
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
    .setSubject(id)
    .setIssuer(site.issuer)
    .setAudience(site.audience)
    .setJti(crypto.randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + loginLifetime / 1_000)
    .sign(key);
}

export function isAllowed(origin: string | undefined): boolean {
  if (origin === undefined) return false;
  try {
    return new URL(origin).hostname === site.allowedHost;
  } catch {
    return false;
  }
}

/** What the place `json` is asked, and what it answers. */
export function answerTo(text: string): string {
  const { n, text: content } = JSON.parse(text) as { readonly n: number; readonly text: string };
  return JSON.stringify({ type: "echoed", n, text: content });
}
