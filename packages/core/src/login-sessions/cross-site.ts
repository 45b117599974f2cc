import type { Connection, Scope } from "../app.js";
import type { SecurityReports } from "../auth/security-reports.js";
import { ConfigurationError, DenyConnection } from "../errors.js";
import { header, headerValues } from "../scope.js";
import { allowedOrigins, hostsOrOwnMachine } from "../security/allowed-origins.js";

export interface CrossSiteOptions {
  /** As `AllowedHostsOriginValidator` takes them, without `"*"`. An empty list means a developer's own machine. */
  readonly allowedHosts: readonly string[];
  /** Lets in what says nothing of where it comes from, as no browser of today does. False if left out. */
  readonly allowMissingOrigin?: boolean;
}

/** Methods that change nothing (RFC 9110 9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/**
 * Makes the check against cross-site request forgery: throws `DenyConnection` with 403 for what a page of another site may
 * have made a visitor's browser send. Looked at are all WebSocket handshakes, and requests of unsafe methods that carry
 * `cookie` or could bring one about: a page must not log its visitors in as somebody else, either. A request with an
 * Authorization header and without the cookie is none of those, as no page of another site can send it unasked.
 *
 * The rules are those of OWASP's cheat sheet for Fetch metadata and the Origin header: an Origin decides; where it is
 * missing or `null`, as a referrer policy can make it, `Sec-Fetch-Site` does, which no script can set.
 *
 * Throws `ConfigurationError` for `"*"` among the hosts, and for a pattern that could never match.
 */
export function crossSiteCheck(
  cookie: string,
  { allowedHosts, allowMissingOrigin = false }: CrossSiteOptions,
  reports?: SecurityReports,
): (scope: Scope<Connection> & { readonly cookies: ReadonlyMap<string, string> }) => void {
  if (allowedHosts.includes("*")) {
    throw new ConfigurationError(
      'expected allowedHosts to name the hosts of this site, got "*": with a cookie, any page could act for its visitor',
    );
  }
  const hosts = hostsOrOwnMachine(allowedHosts);
  const allows = allowedOrigins(hosts);

  return (scope) => {
    const carries = scope.cookies.has(cookie);
    if (scope.type === "http" && safeMethods.has(scope.method)) return;
    if (scope.type === "http" && !carries && header(scope, "authorization") !== undefined) return;

    const [origin] = headerValues(scope, "origin");
    const site = header(scope, "sec-fetch-site");
    const isSilent = origin === undefined || origin === "null";
    // Without the cookie it takes a browser to be deceived, and a browser speaks up.
    const missing = allowMissingOrigin || (scope.type === "http" && !carries);
    const passes =
      isSilent && site !== undefined ? site === "same-origin" || site === "none" : (allows(scope) ?? missing);
    if (passes) return;

    reports?.refusedStranger(scope, "cross_site");
    const came = isSilent && site !== undefined ? `Sec-Fetch-Site: ${site}` : origin;
    throw new DenyConnection({
      status: 403,
      headers: [["content-type", "text/plain; charset=utf-8"]],
      body: `Expected an Origin among ${hosts.join(", ")}, got ${came ?? "none"}\n`,
      closeCode: 4403,
    });
  };
}
