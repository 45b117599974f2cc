import type { Grant } from "@sluice/core";
import type { JWTPayload } from "jose";

/**
 * What a grant has besides its user: when the token was issued (`iat`), which login it comes from (`sid`), what it is good
 * for (`scope`, RFC 9068 2.2.3, or `scp`, which some providers write instead, as text or as a list). A claim of another
 * type than it should be is as good as none.
 */
export function grantClaims({ iat, sid, scope, scp }: JWTPayload): Pick<Grant, "issuedAt" | "sessionId" | "scopes"> {
  const claims: { issuedAt?: number; sessionId?: string; scopes?: readonly string[] } = {};
  if (typeof iat === "number") claims.issuedAt = Math.round(iat * 1000);
  if (typeof sid === "string" && sid !== "") claims.sessionId = sid;
  const scopes = scopesOf(scope) ?? scopesOf(scp) ?? listOf(scp);
  if (scopes !== undefined) claims.scopes = scopes;
  return claims;
}

function scopesOf(claim: unknown): string[] | undefined {
  return typeof claim === "string" ? claim.split(" ").filter((scope) => scope !== "") : undefined;
}

function listOf(claim: unknown): string[] | undefined {
  return Array.isArray(claim) && claim.every((scope) => typeof scope === "string") ? claim : undefined;
}
