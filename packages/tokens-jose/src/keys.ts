import { ConfigurationError } from "@sluice/core";
import type { JWK } from "jose";

/**
 * What signs tokens, or verifies them. The algorithm is the key's, whatever a token says of itself (RFC 8725 3.1):
 *
 * - bytes, or text that is no PEM: a secret of at least 32 random bytes (RFC 7518 3.2), for HS256;
 * - a PEM or a JWK: a key on the curve P-256 for ES256, or an Ed25519 key for EdDSA. In PEM a private key is PKCS#8
 *   (`BEGIN PRIVATE KEY`), a public one is SPKI (`BEGIN PUBLIC KEY`).
 */
export type KeySource = string | Uint8Array | JWK;

/** The keys of an issuer. Key by key they may be of different kinds, so that the algorithm can change, too. */
export interface Keys {
  /** Signs new tokens and verifies them: a secret or a private key. */
  readonly current: KeySource;
  /**
   * Verify only: those that were current not longer ago than a token lives, of which the public half is enough. The next
   * one may stand here ahead of its time, so that whoever keeps our public keys has it when it starts to sign.
   */
  readonly previous?: readonly KeySource[];
}

/** A secret as bytes, a copy of its own. */
export type SecretBytes = Uint8Array<ArrayBuffer>;

/** A source whose kind is known, and thereby its algorithm; whether it is a whole key shows when it is imported. */
export type CheckedKey = CheckedSecret | CheckedPem | CheckedJwk;

interface CheckedSecret {
  readonly algorithm: "HS256";
  readonly secret: SecretBytes;
}

export interface CheckedPem {
  readonly algorithm: AsymmetricAlgorithm;
  readonly isPrivate: boolean;
  readonly pem: string;
}

interface CheckedJwk {
  readonly algorithm: AsymmetricAlgorithm;
  readonly isPrivate: boolean;
  readonly jwk: JWK;
}

type AsymmetricAlgorithm = "ES256" | "EdDSA";

const shortestSecret = 32;

const pemShape = /^-----BEGIN (PRIVATE|PUBLIC) KEY-----\s([A-Za-z0-9+/=\s]+)-----END \1 KEY-----$/;

const openssl = "make one with openssl genpkey -algorithm ed25519";

/** Tells the kind of a key; `which` names it in the `ConfigurationError` for one that is of no use. */
export function checkKey(source: KeySource, which: string): CheckedKey {
  if (source instanceof Uint8Array) return secretOf(new Uint8Array(source), which);
  if (typeof source !== "string") return checkJwk(source, which);
  const text = source.trim();
  return text.startsWith("-----BEGIN ") ? checkPem(text, which) : secretOf(new TextEncoder().encode(source), which);
}

function secretOf(secret: SecretBytes, which: string): CheckedKey {
  if (secret.length >= shortestSecret) return { algorithm: "HS256", secret };
  throw new ConfigurationError(
    `expected ${which} to have at least ${shortestSecret} bytes, got ${secret.length}: make one with openssl rand -hex 32`,
  );
}

function checkPem(pem: string, which: string): CheckedKey {
  const [, kind, base64] = pemShape.exec(pem) ?? [];
  if (base64 === undefined) {
    const label = /^-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(pem)?.[1] ?? "something else";
    throw new ConfigurationError(
      `expected ${which} as one PEM of PKCS#8 (PRIVATE KEY) or SPKI (PUBLIC KEY), got ${label}: ` +
        "convert a private key with openssl pkcs8 -topk8 -nocrypt",
    );
  }
  const algorithm = algorithmOfDer(base64);
  if (algorithm === undefined) {
    throw new ConfigurationError(`expected ${which} to be a P-256 or an Ed25519 key, got another one: ${openssl}`);
  }
  return { algorithm, isPrivate: kind === "PRIVATE", pem };
}

/** AlgorithmIdentifiers in DER, of P-256 (RFC 5480 2.1.1) and of Ed25519 (RFC 8410 3). */
const algorithmIdentifiers = {
  ES256: "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
  EdDSA: "\x30\x05\x06\x03\x2b\x65\x70",
} as const;

/** Where the identifier begins at the latest: behind the sequence's header, and in PKCS#8 behind the version. */
const furthestIdentifier = 8;

function algorithmOfDer(base64: string): AsymmetricAlgorithm | undefined {
  let der: string;
  try {
    der = atob(base64.replace(/\s/g, ""));
  } catch {
    return undefined;
  }
  const found = ([, identifier]: [string, string]) =>
    der.slice(0, furthestIdentifier + identifier.length).includes(identifier);
  return (Object.entries(algorithmIdentifiers) as [AsymmetricAlgorithm, string][]).find(found)?.[0];
}

function checkJwk({ kty, crv, x, y, d, alg, use }: JWK, which: string): CheckedKey {
  const algorithm =
    kty === "EC" && crv === "P-256" ? "ES256" : kty === "OKP" && crv === "Ed25519" ? "EdDSA" : undefined;
  if (algorithm === undefined) {
    throw new ConfigurationError(
      `expected ${which} to be a JWK on P-256 or Ed25519, got kty ${JSON.stringify(kty)} and crv ${JSON.stringify(crv)}`,
    );
  }
  // RFC 9864 has a second name for EdDSA with Ed25519.
  if (alg !== undefined && alg !== algorithm && !(alg === "Ed25519" && algorithm === "EdDSA")) {
    throw new ConfigurationError(`expected ${which} to be for ${algorithm}, got a JWK for ${JSON.stringify(alg)}`);
  }
  if (use !== undefined && use !== "sig") {
    throw new ConfigurationError(`expected ${which} to be for signatures, got a JWK for use ${JSON.stringify(use)}`);
  }
  const jwk = { kty, crv, x, ...(y === undefined ? {} : { y }), ...(d === undefined ? {} : { d }) } as JWK;
  return { algorithm, isPrivate: d !== undefined, jwk };
}
