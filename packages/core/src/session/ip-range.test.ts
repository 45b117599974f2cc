import { describe, expect, it } from "vitest";
import { parseIpAddress } from "./ip-address.js";
import { includes, parseIpRange } from "./ip-range.js";

describe("parseIpAddress", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["fe80::1%eth0", "fe80::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:0201", "192.0.2.1"],
    ["::192.0.2.1", "::c000:201"],
  ])("reads %s", (text, expected) => {
    expect(parseIpAddress(text)?.text).toBe(expected);
  });

  it.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "0x7f.1",
    "2130706433",
    "1.2.3.4:80",
    ":::",
    "::1::",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "[::1]",
    "::1]/[",
    "g::1",
    "localhost",
    "1.2.3.4%eth0",
  ])("refuses %j", (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });
});

describe("parseIpRange", () => {
  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.1.2.3/8", "10.9.9.9", true],
    ["172.16.0.0/12", "172.31.255.255", true],
    ["172.16.0.0/12", "172.32.0.0", false],
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["192.0.2.0/31", "192.0.2.1", true],
    ["192.0.2.0/31", "192.0.2.2", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "::1", false],
    ["10.0.0.0/8", "::ffff:10.1.1.1", true],
    ["::ffff:10.0.0.0/104", "10.1.1.1", true],
    ["::/0", "2001:db8::1", true],
    // However it came: who trusts all of IPv6 has not said so of IPv4.
    ["::/0", "::ffff:10.1.1.1", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["fd00::/8", "fd12:3456::1", true],
    ["::1", "::1", true],
    ["::1", "::2", false],
  ])("%s and %s: %s", (text, other, expected) => {
    const range = parseIpRange(text);
    const address = parseIpAddress(other);
    if (range === undefined || address === undefined) throw new Error("expected a range and an address");
    expect(includes(range, address)).toBe(expected);
  });

  it.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "::/129",
    "fe80::%eth0/64",
    "proxy.example",
    "*",
  ])("refuses %j", (text) => {
    expect(parseIpRange(text)).toBeUndefined();
  });
});
