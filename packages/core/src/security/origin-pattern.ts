import { ConfigurationError } from "../errors.js";

/** A web origin (RFC 6454), taken apart and in one spelling. */
export interface Origin {
  /** Without the colon; `ws` and `wss` count as `http` and `https`. */
  readonly scheme: string;
  /** In lower case and punycode, without a trailing dot; an IPv6 address in brackets. */
  readonly host: string;
  /** The scheme's own if none is written; empty if the scheme has none. */
  readonly port: string;
}

/** Says whether an origin is one of those meant. */
export type OriginPattern = (origin: Origin) => boolean;

/** Scheme, host, port and nothing else: no path, no user, no escape that would have to be decoded. */
const originSource = /^([a-z][a-z0-9+.-]*):\/\/[^\s\p{Cc}/\\?#@%*]+(?<!:)$/iu;
const defaultPorts: Readonly<Record<string, string>> = { http: "80", https: "443" };

/** Reads the value of an Origin header. Undefined for `null` and for what is not an origin. */
export function parseOrigin(value: string): Origin | undefined {
  const written = originSource.exec(value)?.[1]?.toLowerCase();
  if (written === undefined) return undefined;
  const scheme = written === "ws" ? "http" : written === "wss" ? "https" : written;
  let url: URL;
  try {
    url = new URL(scheme + value.slice(written.length));
  } catch {
    return undefined;
  }
  const host = url.hostname.toLowerCase().replace(/\.$/, "");
  if (host.split(".").includes("")) return undefined;
  return { scheme, host, port: url.port || (defaultPorts[scheme] ?? "") };
}

/**
 * Compiles `example.com` (any scheme, any port), `.example.com` (it and every host below it), `example.com:8000`,
 * `https://example.com` (the scheme's own port) or `https://example.com:8000`; a leading dot works before each host.
 * Throws `ConfigurationError` for a pattern that could never match.
 */
export function compileOrigin(pattern: string): OriginPattern {
  const bad = (problem: string): ConfigurationError =>
    new ConfigurationError(`bad origin pattern "${pattern.replace(/.*@/s, "***@")}": ${problem}`);
  if (pattern === "null") throw bad('only "*" lets the origin "null" in, as any page can have it');
  if (pattern.includes("*")) throw bad('"*" stands alone, for everybody; all hosts below one are ".example.com"');

  const end = pattern.indexOf("://");
  const scheme = end === -1 ? undefined : pattern.slice(0, end);
  const host = end === -1 ? pattern : pattern.slice(end + 3);
  const below = host.startsWith(".");
  const wanted = parseOrigin(`${scheme ?? "http"}://${below ? host.slice(1) : host}`);
  if (wanted === undefined) {
    throw bad(
      'expected "host", "host:port", "scheme://host" or "scheme://host:port" and nothing after it, such as "https://example.com"',
    );
  }
  const anyPort = scheme === undefined && !/:\d+$/.test(host);
  return (origin) =>
    (scheme === undefined || origin.scheme === wanted.scheme) &&
    (anyPort || origin.port === wanted.port) &&
    (origin.host === wanted.host || (below && origin.host.endsWith(`.${wanted.host}`)));
}
