import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.js";

const start = Date.UTC(2026, 0, 1);

describe("a token bucket", () => {
  it("is full at first, and refilled as time goes by", () => {
    const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, start);
    const take = (at: number) => bucket.take(start + at);
    expect([take(0), take(0), take(0), take(0)]).toEqual([true, true, true, false]);
    expect([take(499), take(500), take(501)]).toEqual([false, true, false]);
    expect([take(10_000), take(10_000), take(10_000), take(10_000)]).toEqual([true, true, true, false]);
  });

  it("says when it is full again", () => {
    const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, start);
    expect(bucket.untilFull(start)).toBe(0);
    bucket.take(start);
    expect(bucket.untilFull(start)).toBe(500);
    expect(bucket.untilFull(start + 200)).toBe(300);
    expect(bucket.untilFull(start + 501)).toBe(0);
  });

  it("neither gains nor loses by a clock that is put back", () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, start);
    expect([bucket.take(start), bucket.take(start - 60_000), bucket.take(start - 59_001)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(bucket.take(start - 58_001)).toBe(true);
  });

  it("never gives more in any stretch of time than the burst and the rate allow", () => {
    const run = fc.record({
      perSecond: fc.integer({ min: 1, max: 50 }),
      burst: fc.integer({ min: 1, max: 50 }),
      pauses: fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }),
    });
    fc.assert(
      fc.property(run, ({ perSecond, burst, pauses }) => {
        const bucket = new TokenBucket({ perSecond, burst }, start);
        let now = start;
        const given: number[] = [];
        for (const pause of pauses) {
          now += pause;
          if (bucket.take(now)) given.push(now);
        }
        for (const [first, from] of given.entries()) {
          for (const [last, to] of given.entries()) {
            if (last < first) continue;
            const allowed = burst + ((to - from) / 1_000) * perSecond;
            expect(last - first + 1).toBeLessThanOrEqual(allowed + 1e-6);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
