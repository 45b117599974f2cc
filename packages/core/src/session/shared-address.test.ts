import { expect, it } from "vitest";
import { sharedAddress } from "./shared-address.js";

it.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:0:1::7", "2001:db8:0:1::/64"],
  ["2001:0DB8:0000:0001:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"],
  ["2001:db8:0:2::7", "2001:db8:0:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["somewhere", "somewhere"],
])("counts %s as %s", (host, shared) => {
  expect(sharedAddress(host)).toBe(shared);
});
