import { type IpAddress, parseIpAddress } from "./ip-address.js";

/** The addresses that have their first bits in common. */
export interface IpRange {
  readonly first: IpAddress;
  /** Of 128, also for IPv4. */
  readonly bits: number;
}

const notation = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/;

/** Reads an address or a range in CIDR notation. Undefined for anything else. */
export function parseIpRange(text: string): IpRange | undefined {
  const [, address = "", length] = notation.exec(text) ?? [];
  const first = parseIpAddress(address);
  if (first === undefined) return undefined;
  const offset = address.includes(":") ? 0 : 96;
  const bits = length === undefined ? 128 : offset + Number(length);
  return bits <= 128 ? { first, bits } : undefined;
}

/** True if the range has the address. One of IPv6 has no address of IPv4, however short its prefix. */
export function includes({ first, bits }: IpRange, address: IpAddress): boolean {
  if (first.isIPv4 !== address.isIPv4) return false;
  for (let index = 0, left = bits; left > 0; index += 1, left -= 16) {
    const difference = (first.groups[index] ?? 0) ^ (address.groups[index] ?? 0);
    if (difference >> Math.max(0, 16 - left) !== 0) return false;
  }
  return true;
}
