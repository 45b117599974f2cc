import { ConfigurationError } from "../errors.js";
import type { RequestHead } from "../ports/transport.js";
import type { Address, HeaderList } from "../scope.js";
import { agreement, forwardedClaim, xForwardedClaim } from "./forwarded.js";
import { parseIpAddress } from "./ip-address.js";
import { type IpRange, includes, parseIpRange } from "./ip-range.js";

/** The proxies whose word on the client is taken. */
export class TrustedProxies {
  readonly #ranges: readonly IpRange[];
  readonly #unix: boolean;

  /** Throws `ConfigurationError` for an entry that is neither an address nor a range nor `"unix"`. */
  constructor(entries: readonly string[]) {
    this.#unix = entries.includes("unix");
    this.#ranges = entries
      .filter((entry) => entry !== "unix")
      .map((entry) => {
        const range = parseIpRange(entry);
        if (range !== undefined) return range;
        throw new ConfigurationError(
          `expected trustedProxies to list IP addresses, ranges such as "10.0.0.0/8" and "unix", got ${JSON.stringify(entry)}`,
        );
      });
  }

  /**
   * The request as its client made it. What comes from anybody else than a trusted proxy stays as it is. Throws
   * `DenyConnection` for headers of a trusted proxy that are malformed or contradict each other.
   */
  seenThrough(head: RequestHead): RequestHead {
    if (!this.#trustsPeer(head)) return head;
    const peer = head.proxied ?? head.client;
    if (head.proxied !== undefined && !this.#trusts(head.proxied.host)) return { ...head, client: peer };
    const isTrusted = (host: string): boolean => this.#trusts(host);
    const standard = forwardedClaim(head.headers, isTrusted);
    const custom = xForwardedClaim(head.headers, isTrusted);
    const claim = standard === undefined || custom === undefined ? (standard ?? custom) : agreement(standard, custom);
    return {
      ...head,
      client: clientOf(claim?.client, peer),
      secure: claim?.secure ?? head.secure,
      headers: claim?.host === undefined ? head.headers : withHost(head.headers, claim.host),
    };
  }

  /** On a Unix socket nobody has an address. On others one may be missing because the client has gone. */
  #trustsPeer({ client, server }: RequestHead): boolean {
    if (client !== undefined) return this.#trusts(client.host);
    return this.#unix && server !== undefined && server.port === undefined;
  }

  #trusts(host: string): boolean {
    const address = parseIpAddress(host);
    return address !== undefined && this.#ranges.some((range) => includes(range, address));
  }
}

function clientOf(claimed: Address | "unknown" | undefined, peer: Address | undefined): Address | undefined {
  if (claimed === "unknown") return undefined;
  return claimed ?? peer;
}

/** With one Host, where the first was. */
function withHost(headers: HeaderList, host: string): HeaderList {
  const index = headers.findIndex(([name]) => name === "host");
  if (index < 0) return [["host", host], ...headers];
  const others = headers.slice(index + 1).filter(([name]) => name !== "host");
  return [...headers.slice(0, index), ["host", host], ...others];
}
