import { FakeClock, RecordingLogger } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import { DenyConnection } from "../errors.js";
import { Admission } from "./admission.js";
import { Counts } from "./counts.js";
import { defaultLimits, type Limits } from "./limits.js";

function setUp(limits: Partial<Limits>) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const counts = new Counts();
  const admission = new Admission({ clock, logger, counts, limits: { ...defaultLimits, ...limits } });
  /** True if it was let in. */
  const admit = ({ connection = {}, host = undefined as string | undefined, handshake = false, open = 0 } = {}) => {
    try {
      admission.checkRoom(open);
      admission.admit(connection, host === undefined ? undefined : { host, port: 1 }, handshake);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(DenyConnection);
      expect(error).toMatchObject({ status: 503, headers: expect.arrayContaining([["retry-after", "1"]]) });
      return false;
    }
  };
  return { admission, admit, clock, logger, counts };
}

describe("the number of connections", () => {
  it("is bounded", () => {
    const { admit, counts } = setUp({ maxConnections: 3 });
    expect(admit({ open: 2 })).toBe(true);
    expect(admit({ open: 3 })).toBe(false);
    expect(counts.refused).toBe(1);
  });

  it("is without bound at 0", () => {
    expect(setUp({ maxConnections: 0 }).admit({ open: 1e9 })).toBe(true);
  });
});

describe("the number of connections from one address", () => {
  it.each([
    ["one of IPv4", "192.0.2.1", "192.0.2.1", true],
    ["neighbours of IPv4", "192.0.2.1", "192.0.2.2", false],
    ["IPv4 and its mapped form", "192.0.2.1", "::ffff:192.0.2.1", true],
    ["IPv4 mapped in two ways", "::ffff:192.0.2.1", "::ffff:c000:201", true],
    ["mapped neighbours", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
    ["one /64 of IPv6", "2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff", true],
    ["two of them", "2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["one link, by two names", "fe80::1%eth0", "fe80::2", true],
    ["what is no address", "somewhere", "somewhere", true],
  ])("takes %s for %s and %s", (_, one, other, same) => {
    const { admit } = setUp({ maxConnectionsPerAddress: 1 });
    expect(admit({ host: one })).toBe(true);
    expect(admit({ host: other })).toBe(!same);
  });

  it("counts those that are open, and forgets the address with the last of them", () => {
    const { admission, admit } = setUp({ maxConnectionsPerAddress: 2 });
    const [first, second] = [{}, {}];
    expect(admit({ connection: first, host: "192.0.2.1" })).toBe(true);
    expect(admit({ connection: second, host: "192.0.2.1" })).toBe(true);
    expect(admit({ host: "192.0.2.1" })).toBe(false);
    admission.release(first);
    admission.release(first);
    const third = {};
    expect(admit({ connection: third, host: "192.0.2.1" })).toBe(true);
    expect(admit({ host: "192.0.2.1" })).toBe(false);
    admission.release(second);
    admission.release(third);
    expect(admission.addresses).toBe(0);
  });

  it("leaves out who has no address, and whom it refuses for another reason", () => {
    const { admission, admit } = setUp({ maxConnectionsPerAddress: 1, maxHandshakesPerSecond: 1, maxConnections: 5 });
    for (let index = 0; index < 3; index += 1) expect(admit()).toBe(true);
    expect(admit({ host: "192.0.2.1", open: 5 })).toBe(false);
    expect(admit({ handshake: true })).toBe(true);
    expect(admit({ host: "192.0.2.1", handshake: true })).toBe(false);
    expect(admission.addresses).toBe(0);
  });
});

describe("the rate of handshakes", () => {
  it("is bounded, with a burst of one second's", async () => {
    const { admit, clock } = setUp({ maxHandshakesPerSecond: 10 });
    const handshakes = (count: number) =>
      Array.from({ length: count }, () => admit({ handshake: true })).filter((admitted) => admitted).length;
    expect(handshakes(50)).toBe(10);
    await clock.advance(99);
    expect(handshakes(5)).toBe(0);
    await clock.advance(1);
    expect(handshakes(5)).toBe(1);
    await clock.advance(60_000);
    expect(handshakes(50)).toBe(10);
  });

  it("does not concern requests, which take nothing from it", () => {
    const { admit } = setUp({ maxHandshakesPerSecond: 1 });
    for (let index = 0; index < 3; index += 1) expect(admit()).toBe(true);
    expect(admit({ handshake: true })).toBe(true);
    expect(admit()).toBe(true);
  });

  it("outlives a clock that is set back", () => {
    let now = 1_000_000;
    const admission = new Admission({
      clock: { now: () => now, after: () => () => {} },
      logger: new RecordingLogger(),
      counts: new Counts(),
      limits: { ...defaultLimits, maxHandshakesPerSecond: 1 },
    });
    admission.admit({}, undefined, true);
    now = 0;
    expect(() => admission.admit({}, undefined, true)).toThrow(DenyConnection);
    now = 1_000;
    expect(() => admission.admit({}, undefined, true)).not.toThrow();
  });
});

describe("the log", () => {
  it("has one line a second for each limit, and every refusal is counted", async () => {
    const { admit, clock, logger, counts } = setUp({ maxConnections: 1 });
    for (let index = 0; index < 100; index += 1) admit({ open: 1 });
    await clock.advance(999);
    admit({ open: 1 });
    expect(logger.lines).toHaveLength(1);
    await clock.advance(1);
    admit({ open: 1 });
    expect(logger.lines).toEqual(
      [1, 101].map((refused) => ({
        level: "warn",
        message: "beyond a limit: refused with 503",
        fields: { limit: "maxConnections", refused },
      })),
    );
    expect(counts.refused).toBe(102);
  });

  it("names the limit that each refusal is about", async () => {
    const { admit, clock, logger } = setUp({ maxConnections: 1, maxHandshakesPerSecond: 1 });
    for (let index = 0; index < 3; index += 1) admit({ open: 1 });
    for (let index = 0; index < 3; index += 1) admit({ handshake: true });
    await clock.advance(1_000);
    admit({ open: 1 });
    expect(logger.lines.map(({ fields }) => fields)).toEqual([
      { limit: "maxConnections", refused: 1 },
      { limit: "maxHandshakesPerSecond", refused: 1 },
      { limit: "maxConnections", refused: 3 },
    ]);
  });
});
