/** An IP address as eight groups of 16 bits. IPv4 stands in the last two, as in IPv4-mapped IPv6, which it is equal to. */
export interface IpAddress {
  readonly groups: readonly number[];
  readonly isIPv4: boolean;
  /** The shortest way to write it (RFC 5952); IPv4 with dots. */
  readonly text: string;
}

const octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
/** Without leading zeros, which some take for octal. */
const ipv4 = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}$`);
/** What an IPv6 address is made of, and the zone that some systems add to a link-local one (RFC 4007 11). */
const ipv6 = /^([\da-f:.]{2,45})(?:%[\w.-]+)?$/i;

/** Undefined for what is no address. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const octets = ipv4.exec(text);
  if (octets !== null) {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(1).map(Number);
    return { groups: [0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d], isIPv4: true, text };
  }
  const [, plain] = ipv6.exec(text) ?? [];
  if (plain === undefined || !plain.includes(":")) return undefined;
  const shortest = normalized(plain);
  if (shortest === undefined) return undefined;
  const groups = groupsOf(shortest);
  const isIPv4 = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return { groups, isIPv4, text: isIPv4 ? dotted(groups) : shortest };
}

/** By the platform's own parser, which knows every way to write it. */
function normalized(text: string): string | undefined {
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}

function groupsOf(shortest: string): number[] {
  const [left = [], right = []] = shortest
    .split("::")
    .map((half) => (half === "" ? [] : half.split(":").map((group) => Number.parseInt(group, 16))));
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function dotted(groups: readonly number[]): string {
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join(".");
}
