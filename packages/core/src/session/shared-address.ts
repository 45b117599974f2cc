import { parseIpAddress } from "./ip-address.js";

/**
 * What of a client's address to count by, where it must not have many: an address of IPv4 as it is, and of IPv6 the first
 * half, as networks are given whole ones of that size (RFC 6177). What is no address stays what it is.
 */
export function sharedAddress(host: string): string {
  const address = parseIpAddress(host);
  if (address === undefined) return host;
  if (address.isIPv4) return address.text;
  const network = address.groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(":")}::/64`;
}
