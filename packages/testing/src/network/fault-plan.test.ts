import { ConfigurationError } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { type Fault, type FaultOptions, faultPlan } from "./fault-plan.js";

const draw = (options: FaultOptions, count: number): Fault[] => Array.from({ length: count }, faultPlan(options));
const mixed = { drop: 20, halfOpen: 20, slowReader: 20, delay: 20 };

describe("a plan of faults", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(draw({ seed: 1, ...mixed }, 50)).toEqual(draw({ seed: 1, ...mixed }, 50));
    expect(draw({ seed: 1, ...mixed }, 50)).not.toEqual(draw({ seed: 2, ...mixed }, 50));
  });

  it("has every fault about as often as it was asked for, within its bounds", () => {
    const faults = draw({ seed: 5, ...mixed, maxBytes: 100, maxDelay: 10 }, 1_000);
    for (const kind of ["none", "drop", "halfOpen", "slowReader", "delay"]) {
      const share = faults.filter((fault) => fault.kind === kind).length;
      expect(share).toBeGreaterThan(150);
      expect(share).toBeLessThan(250);
    }
    const after = faults.flatMap((fault) => ("afterBytes" in fault ? [fault.afterBytes] : []));
    expect([Math.min(...after), Math.max(...after)]).toEqual([0, 100]);
    const late = faults.flatMap((fault) => (fault.kind === "delay" ? [fault.ms] : []));
    expect([Math.min(...late), Math.max(...late)]).toEqual([1, 10]);
  });

  it("lets another share change the kinds and not the rest", () => {
    const some = draw({ seed: 3, drop: 100 }, 20);
    const others = draw({ seed: 3, delay: 100 }, 20);
    expect(some.map((fault) => "afterBytes" in fault && fault.afterBytes)).toEqual(
      others.map((fault) => "afterBytes" in fault && fault.afterBytes),
    );
    expect(draw({ seed: 3 }, 20)).toEqual(Array.from({ length: 20 }, () => ({ kind: "none" })));
  });

  it.each<[string, FaultOptions, string]>([
    ["a seed that is no 32-bit number", { seed: 2 ** 31 }, "expected seed to be a whole number"],
    ["a share over 100", { seed: 1, drop: 101 }, "expected drop to be a whole number from 0 to 100, got 101"],
    ["shares over 100", { seed: 1, drop: 60, delay: 60 }, "expected drop, halfOpen, slowReader and delay together"],
    ["a negative number of bytes", { seed: 1, maxBytes: -1 }, "expected maxBytes"],
    ["no delay", { seed: 1, maxDelay: 0 }, "expected maxDelay"],
  ])("refuses %s", (_what, options, message) => {
    expect(() => faultPlan(options)).toThrow(ConfigurationError);
    expect(() => faultPlan(options)).toThrow(message);
  });
});
